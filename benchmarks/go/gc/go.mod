module ampersand/gc

go 1.19
