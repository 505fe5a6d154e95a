module ampersand/benchstat

go 1.19

require golang.org/x/perf v0.0.0-20230113213139-801c7ef9e5c5

require github.com/aclements/go-moremath v0.0.0-20210112150236-f10218a38794 // indirect
