// Command tidy checks the shape of the code, where a reviewer's eye would tire: who imports whom, one handler file per API
// of the table, functions short enough to read, the README's tables up to date. With -fix it writes those tables anew.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	root := flag.String("root", ".", "top folder of the checkout")
	fix := flag.Bool("fix", false, "write the README's tables anew")
	flag.Parse()
	findings, err := check(*root, *fix)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tidy:", err)
		os.Exit(2)
	}
	for _, f := range findings {
		fmt.Println(f)
	}
	if len(findings) > 0 {
		os.Exit(1)
	}
}

// check returns what is wrong with the checkout at root, a line each.
func check(root string, fix bool) ([]string, error) {
	files, err := sources(root)
	if err != nil {
		return nil, err
	}
	var findings []string
	for _, f := range files {
		findings = append(findings, f.imports()...)
		findings = append(findings, f.lengths()...)
	}
	findings = append(findings, handlerFiles(root)...)
	tables, err := readmeTables(root, fix)
	return append(findings, tables...), err
}
