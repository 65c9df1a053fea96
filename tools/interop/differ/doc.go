// Package differ holds scripted conversations with Kafka servers, frame by frame, and compares what they answer.
//
// A [Script] is a sequence of requests, good ones and bad ones, about one API. It is held with a server once for every
// version of that API, on topics of its own, and every step is one request and its answer. An answer has to decode to its
// last byte and to encode to the same bytes again. It is then written as fields ([Field]): what a server may choose as it
// likes, such as ids, its host or the time, is given names that are the same for every server; all else stands as it is.
//
// What Apache Kafka answers is recorded in testdata, a golden file for each API: of every version the newest release that
// serves it (see the files for which). So the comparison of Heraclitus with Kafka needs no Java and runs with all tests. The
// differences that remain are listed with their reasons in testdata/differences.md at the top of the repository; the
// list has to be exact.
//
// A third implementation, franz-go's kfake, is asked in the same run ([Third]). What it answers otherwise where Kafka
// answers as we do needs no row in that list.
//
// # To add a script
//
// Add a literal to one of the lists in scripts_*.go, and record what Kafka answers. That needs Java and Maven, and
// starts the brokers by itself:
//
//	go test -tags full -run TestKafka . -args -update -script 'Fetch: from an offset'
//
// Look at what was recorded: it is what Kafka does, but is it what you asked? Then compare:
//
//	go test . -args -script 'Fetch: from an offset'
//
// A difference is printed as the row that it would be in testdata/differences.md, but for the reason. Mend it, or give one.
// To see the words of messages that differ, which are no differences, run with -v.
//
// A step must have the same outcome every time: nothing in it may depend on how fast a server is. Steps that provoke errors
// are best kept apart, on partitions of their own, so that one difference does not cause others.
//
// Records whose bytes are null are left out of the scripts: Kafka never answers a produce request that has them.
package differ
