module ampersand

go 1.19
