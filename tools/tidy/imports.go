package main

import (
	"fmt"
	"slices"
	"strings"
)

const module = "github.com/heraclitus/heraclitus"

// mayImport is the architecture: which packages of ours each package below pkg/ may import. A folder below one in the list,
// such as a driver, may import what that one may, and that one.
var mayImport = map[string][]string{
	"kerr":               {},
	"kbin":               {},
	"metrics":            {},
	"config":             {"kerr", "topic", "auth"},
	"certificate":        {},
	"wire":               {"kbin"},
	"record":             {"kerr"},
	"topic":              {"kerr"},
	"objstore":           {},
	"freeport":           {},
	"objstore/s3":        {},
	"objstore/s3/s3test": {"objstore/s3", "freeport"},
	"journal":            {},
	"journal/s3":         {"objstore"},
	"session":            {"kerr", "kbin"},
	"storagetest":        {"journal", "journal/file", "journal/mem", "journal/s3", "objstore", "objstore/file", "objstore/mem", "objstore/s3", "objstore/s3/s3test"},
	"auth":               {"kerr", "metrics"},
	"client":             {"kerr", "kbin", "wire", "auth"},
	"state":              {"kerr", "kbin", "record"},
	"segment":            {"kerr", "kbin", "record"},
	"engine":             {"kerr", "record", "topic", "state", "journal", "objstore", "segment", "metrics"},
	"verify":             {"record", "state", "segment", "engine", "journal", "journal/file", "journal/s3", "objstore", "objstore/file", "objstore/s3"},
	"dump":               {"record", "state", "segment", "journal/file", "journal/s3", "objstore"},
	"group":              {"kerr", "kbin", "wire", "state", "engine", "metrics"},
	"handler":            {"kerr", "kbin", "wire", "record", "topic", "session", "auth", "state", "engine", "group"},
	"server":             {"kerr", "kbin", "wire", "auth", "handler", "metrics"},
	"admin":              {"metrics"},
	"broker":             {"config", "certificate", "certificate/certificatetest", "topic", "kerr", "wire", "auth", "state", "engine", "group", "handler", "server", "admin", "metrics", "journal", "journal/file", "journal/mem", "journal/s3", "objstore", "objstore/file", "objstore/mem", "objstore/s3", "segment", "storagetest"},
}

// homes says in which folders alone a foreign module may be imported.
var homes = map[string][]string{
	"github.com/dave/jennifer":           {"gen"},
	"github.com/klauspost/compress":      {"pkg/record", "pkg/segment"},
	"github.com/golang/snappy":           {"pkg/record", "pkg/segment"},
	"github.com/pierrec/lz4/v4":          {"pkg/record"},
	"github.com/VictoriaMetrics/metrics": {"pkg/metrics"},
	"github.com/xitongsys/parquet-go":    {"pkg/segment"},
	"github.com/apache/thrift":           {"pkg/segment"}, // what parquet-go reads and writes its structures by
	"github.com/urfave/cli/v2":           {"cmd/heraclitus"},
	"golang.org/x/term":                  {"cmd/heraclitus"},
	"github.com/BurntSushi/toml":         {"pkg/config"},
	"github.com/xrash/smetrics":          {"pkg/config"},
	"golang.org/x/net":                   {"pkg/admin"},
	"golang.org/x/sys":                   {"pkg/journal/file", "pkg/server"},
	"github.com/minio/minio-go/v7":       {"pkg/objstore/s3", "pkg/objstore/s3/s3test"},
	"github.com/anishathalye/porcupine":  {"pkg/journal/journaltest"},
}

// refusedOwn says why a file in folder may not import our package pkg/own; empty when it may.
func refusedOwn(folder, own string) string {
	importer, ok := strings.CutPrefix(folder, "pkg/")
	if !ok {
		return "" // commands and tools put packages together as they need
	}
	for p := importer; ; p = p[:strings.LastIndex(p, "/")] {
		allowed, listed := mayImport[p]
		if listed && (own == p || slices.Contains(allowed, own)) {
			return ""
		}
		if !strings.Contains(p, "/") {
			if !listed {
				return fmt.Sprintf("pkg/%s is not in the import table: tools/tidy/imports.go", p)
			}
			return fmt.Sprintf("pkg/%s may not import pkg/%s: see tools/tidy/imports.go", importer, own)
		}
	}
}

// refusedForeign says why a file in folder may not import a package of another module; empty when it may.
func refusedForeign(folder, imported string) string {
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") || strings.HasPrefix(imported, module) {
		return ""
	}
	if strings.HasPrefix(folder, "tools/") {
		return ""
	}
	for foreign, folders := range homes {
		if imported == foreign || strings.HasPrefix(imported, foreign+"/") {
			if slices.Contains(folders, folder) {
				return ""
			}
			return fmt.Sprintf("%s is at home in %s only", foreign, strings.Join(folders, " and "))
		}
	}
	return fmt.Sprintf("%s has no home: name one in tools/tidy/imports.go", imported)
}
