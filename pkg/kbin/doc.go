// Package kbin reads and writes the primitives of Kafka's protocol: big-endian numbers, strings and bytes with a length
// before them, arrays, tagged fields (KIP-482), and records.
//
// Writing appends to a byte slice and cannot fail. Reading goes through a [Reader], which is built for bytes from
// strangers:
//
//   - It is sticky. After the first error every read gives a zero value, so that decoders check once, at the end.
//   - It is bounded. A length is a claim: it is compared with the bytes left before it is used, and what is decoded is
//     charged, at its size in memory, against a budget. Otherwise one MiB of two-byte structs would become 50 MB.
//   - Strings are owned: they are copied, or taken from an [Interner]. Bytes are borrowed: they are views of what is read,
//     cut so that an append to a view cannot reach its neighbour. Whoever keeps bytes copies them. Under the race detector
//     the server has [Poison] overwrite what it gave, so that a view kept too long fails a test.
//
// Most primitives have two forms. Messages before KIP-482 write lengths as int16 or int32; flexible messages write them
// as unsigned varints, plus one, so that zero can be null. The parameter flexible chooses.
package kbin
