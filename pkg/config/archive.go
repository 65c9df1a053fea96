package config

import "math"

// Archive says how records go from the journal to Parquet objects, and how those are read.
type Archive struct {
	JournalBytesMax   int64  `toml:"journal_bytes_max"`
	SegmentBytesMax   int64  `toml:"segment_bytes_max"`
	Compression       string `toml:"compression"`
	CacheBytesMax     int64  `toml:"cache_bytes_max"`
	CompactionKeysMax int64  `toml:"compaction_keys_max"`
}

// Adaptive is the archive.compression that is zstd while there is time, and snappy while archiving is behind.
const Adaptive = "adaptive"

func (c *Config) validateArchive(v *validator) {
	a := c.Archive
	v.between("archive.journal_bytes_max", a.JournalBytesMax, 1<<20, math.MaxInt64)
	v.between("archive.segment_bytes_max", a.SegmentBytesMax, 1<<20, 1<<30)
	v.check(a.Compression == Adaptive || a.Compression == "zstd" || a.Compression == "snappy" || a.Compression == "uncompressed",
		"archive.compression", a.Compression, `"adaptive", "zstd", "snappy" or "uncompressed"`)
	v.between("archive.cache_bytes_max", a.CacheBytesMax, 0, math.MaxInt64)
	v.between("archive.compaction_keys_max", a.CompactionKeysMax, 1, 1<<30)
}
