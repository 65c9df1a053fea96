// Package parquet shows that other people's readers of Parquet find in a segment what was written to it, whole and by range:
// parquet-go/parquet-go in Go, and, in the longer suite, DuckDB, PyArrow and hyparquet.
//
// Every reader turns rows into lines of the same form, which are compared: the columns in their order, separated by spaces,
// bytes in hexadecimal behind an x, null as "-", and headers as key=value, joined by commas, or "." when there are none.
package parquet
