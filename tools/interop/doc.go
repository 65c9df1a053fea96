// Package interop shows that other people's clients work with the heraclitus binary, unmodified: each test starts the server
// as its users do, as a process of its own, on a free port, with its data in memory or in a folder.
//
// It is a module of its own, so that the clients do not weigh on users of Heraclitus.
package interop
