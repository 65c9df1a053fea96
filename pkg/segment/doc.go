// Package segment is the resting form of a partition's log: a Parquet file of one row per record, which any reader of Parquet
// reads as a table, and from which batches are rebuilt for consumers. FORMAT.md describes the file.
//
// # Writing
//
// A [Writer] takes the batches of one partition in the order of their offsets ([Writer.Append]), or records one by one
// ([Writer.AppendRow]), and writes to an io.Writer as it goes. It sees to the format; what goes in is the caller's to decide:
//
//   - Only what a read_committed consumer would see goes in. Control batches and the batches of aborted transactions stay
//     out; their offsets remain as gaps.
//   - A segment stands for all offsets from Options.First to the last one given to [Writer.Close]. The segments of a partition
//     stand for every offset, once: where nothing is left between two of them, one of them stands for the gap.
//   - What has been written becomes visible only when Close has returned nil, whole: it goes to a file that is renamed then, or to
//     an object store's put.
//
// Records pass through the writer in this way: they are gathered column by column until a block is full (BlockBytes, of all
// columns together); then each column is encoded, compressed, given a checksum, and kept as a page; when the blocks come to
// RowGroupBytes, the library writes them as a row group; Close writes the index and the footer. So a writer holds one row
// group, compressed, one block, and the index, some 600 bytes a block.
//
// # Reading
//
// [ReadFooter] reads the end of an object, which tells where everything is. It is to be kept: [Footer.MemoryBytes] says what
// it takes. A [Reader] then needs one round of ranged gets for a run of blocks, usually one to three, at a time:
// [Reader.Read] for batches, [Reader.Rows] for records, [Reader.OffsetForTime] for ListOffsets. [Verify] walks a segment
// and compares all that it says of itself with what is in it.
//
// # What must always hold
//
//  1. What is read is what was written, or an error: pages, index and footer each have a checksum. Every record comes back with
//     its bytes, null apart from empty, headers in order with their repetitions, its timestamp and whose that is, its
//     offset, its producer and its sequence number. Which batch it was in is not kept, nor that it was part of a transaction.
//  2. Nothing in a file makes this package panic or take memory out of proportion to the file: lengths, counts and positions
//     are checked before they are believed. Those that cannot be true are ErrDamaged.
//  3. Other readers find a correct file: statistics, null counts and page index are made here, since those of the library are
//     wrong. What would make a reader fail on a whole column does not get into that column (timestamps out of all
//     calendars, header keys that are not UTF-8); it is kept beside it.
//  4. Files that were written stay readable: testdata/segments holds some of each version, which are never written again.
//
// xitongsys/parquet-go is used here alone. Its writer keeps the schema and writes row groups, out of pages that are made here;
// index and footer are read and written by its thrift structures. Its reader and its encoders are not used.
package segment
