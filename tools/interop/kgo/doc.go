// Command kgo runs the tests of franz-go's client, pkg/kgo of the version that this module is pinned to, against Heraclitus.
//
// The tests are those of the module as it lies in Go's module cache, copied into .tmp and compiled there; nothing of
// them is in this repository. Each round has a server of its own, with two listeners: one that lets everybody in, and
// one that asks by SCRAM-SHA-256. What a server has to have that Heraclitus has not is named test by test, with the
// reason (unserved.go). A test that fails fails the round, and so do one that is skipped without being named, and one
// that is named and was not skipped.
//
//	go run ./kgo                                  one round, in memory, 50,000 records a test
//	go run ./kgo -rounds 10 -storage disk         ten, on a disk
//	go run ./kgo -run 'TestGroupETL/sticky'       one test
package main
