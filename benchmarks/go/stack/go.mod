module ampersand/stack

go 1.19
