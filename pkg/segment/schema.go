package segment

import (
	"strings"

	"github.com/xitongsys/parquet-go/parquet"
)

// FormatVersion is the version of the format in FORMAT.md, as the file's metadata has it.
const FormatVersion = 1

// leaf is a column that holds values, in the order of the schema. The first six are for everybody; the others are what a
// rebuild needs besides.
type leaf int

const (
	leafOffset leaf = iota
	leafTimestamp
	leafKey
	leafValue
	leafHeaderKey
	leafHeaderValue
	leafTimestampType
	leafProducerID
	leafProducerEpoch
	leafSequence
	leafRawTimestamp
	leafRawHeaderKeys

	leafCount
)

// column is what a leaf's pages look like.
type column struct {
	path     string // dotted
	kind     parquet.Type
	encoding parquet.Encoding
	defMax   byte // definition level of a value that is there
	repMax   byte // 1 for the columns below the list
	indexed  bool // has statistics and a column index
}

var columns = [leafCount]column{
	leafOffset:        {"offset", parquet.Type_INT64, delta, 0, 0, true},
	leafTimestamp:     {"timestamp", parquet.Type_INT64, delta, 1, 0, true},
	leafKey:           {"key", parquet.Type_BYTE_ARRAY, plain, 1, 0, true},
	leafValue:         {"value", parquet.Type_BYTE_ARRAY, plain, 1, 0, false},
	leafHeaderKey:     {"headers.list.element.key", parquet.Type_BYTE_ARRAY, plain, 1, 1, false},
	leafHeaderValue:   {"headers.list.element.value", parquet.Type_BYTE_ARRAY, plain, 2, 1, false},
	leafTimestampType: {"timestamp_type", parquet.Type_INT32, delta, 0, 0, true},
	leafProducerID:    {"producer_id", parquet.Type_INT64, delta, 1, 0, true},
	leafProducerEpoch: {"producer_epoch", parquet.Type_INT32, delta, 1, 0, true},
	leafSequence:      {"sequence", parquet.Type_INT32, delta, 1, 0, true},
	leafRawTimestamp:  {"raw_timestamp", parquet.Type_INT64, delta, 1, 0, true},
	leafRawHeaderKeys: {"raw_header_keys", parquet.Type_BYTE_ARRAY, plain, 1, 0, false},
}

const (
	delta = parquet.Encoding_DELTA_BINARY_PACKED
	plain = parquet.Encoding_PLAIN
)

func (c *column) integer() bool { return c.kind != parquet.Type_BYTE_ARRAY }

func (c *column) pathInSchema() []string { return strings.Split(c.path, ".") }

// bits is the size of an integer column's values.
func (c *column) bits() int {
	if c.kind == parquet.Type_INT32 {
		return 32
	}
	return 64
}

// schemaElements returns the schema as the footer has it: the root, and below it every column before its children.
func schemaElements() []*parquet.SchemaElement {
	millis := &parquet.LogicalType{TIMESTAMP: &parquet.TimestampType{
		IsAdjustedToUTC: true, Unit: &parquet.TimeUnit{MILLIS: &parquet.MilliSeconds{}}}}
	return []*parquet.SchemaElement{
		{Name: "schema", NumChildren: ptr(int32(11)), RepetitionType: ptr(required)},
		value(leafOffset, required),
		annotated(value(leafTimestamp, optional), parquet.ConvertedType_TIMESTAMP_MILLIS, millis),
		value(leafKey, optional),
		value(leafValue, optional),
		annotated(group("headers", required, 1), parquet.ConvertedType_LIST, &parquet.LogicalType{LIST: &parquet.ListType{}}),
		group("list", parquet.FieldRepetitionType_REPEATED, 1),
		group("element", required, 2),
		annotated(value(leafHeaderKey, required), parquet.ConvertedType_UTF8, &parquet.LogicalType{STRING: &parquet.StringType{}}),
		value(leafHeaderValue, optional),
		annotated(value(leafTimestampType, required), parquet.ConvertedType_INT_8, integerType(8)),
		value(leafProducerID, optional),
		annotated(value(leafProducerEpoch, optional), parquet.ConvertedType_INT_16, integerType(16)),
		value(leafSequence, optional),
		value(leafRawTimestamp, optional),
		value(leafRawHeaderKeys, optional),
	}
}

const (
	required = parquet.FieldRepetitionType_REQUIRED
	optional = parquet.FieldRepetitionType_OPTIONAL
)

func value(l leaf, r parquet.FieldRepetitionType) *parquet.SchemaElement {
	c := &columns[l]
	return &parquet.SchemaElement{Name: c.path[strings.LastIndexByte(c.path, '.')+1:], Type: ptr(c.kind), RepetitionType: &r}
}

func group(name string, r parquet.FieldRepetitionType, children int32) *parquet.SchemaElement {
	return &parquet.SchemaElement{Name: name, RepetitionType: &r, NumChildren: &children}
}

// annotated says what a column means, in the older words and in the newer.
func annotated(e *parquet.SchemaElement, old parquet.ConvertedType, t *parquet.LogicalType) *parquet.SchemaElement {
	e.ConvertedType, e.LogicalType = &old, t
	return e
}

func integerType(bits int8) *parquet.LogicalType {
	return &parquet.LogicalType{INTEGER: &parquet.IntType{BitWidth: bits, IsSigned: true}}
}

func ptr[T any](v T) *T { return &v }
