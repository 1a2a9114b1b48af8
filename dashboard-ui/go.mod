// Keeps Go's ./... out of node_modules: a directory with a go.mod is another module, and some npm packages hold Go files.
module callboard.invalid/dashboard-ui

go 1.26
