package kerr

// Shown here: the table is Kafka's own, code by code; the constants are named after it; Of finds a code however deep
// it is wrapped; codes that nobody knows do no harm.

import (
	_ "embed"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"strconv"
	"strings"
	"testing"
)

// kafka is what testdata/PrintErrors.java printed with the jar of kafka-clients 4.4.0.
//
//go:embed testdata/errors.tsv
var kafka string

type kafkaError struct {
	code      Code
	name      string
	retriable bool
}

func kafkaErrors(t *testing.T) []kafkaError {
	t.Helper()
	var list []kafkaError
	for line := range strings.Lines(kafka) {
		var e kafkaError
		if _, err := fmt.Sscanf(line, "%d\t%s\t%t\n", &e.code, &e.name, &e.retriable); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		list = append(list, e)
	}
	return list
}

func TestTableIsKafkas(t *testing.T) {
	want := kafkaErrors(t)
	if len(facts) != len(want) {
		t.Errorf("%d codes, Kafka has %d", len(facts), len(want))
	}
	for _, e := range want {
		if got := (kafkaError{e.code, e.code.Name(), e.code.Retriable()}); got != e {
			t.Errorf("have %v, Kafka says %v", got, e)
		}
	}
}

// A constant is Kafka's name in Go case with ID for Id, has Kafka's code, and says what it means.
func TestConstantsAreNamedAsInKafka(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	specs := file.Decls[0].(*ast.GenDecl).Specs
	want := kafkaErrors(t)
	if len(specs) != len(want) {
		t.Fatalf("%d constants, Kafka has %d codes", len(specs), len(want))
	}
	for i, spec := range specs {
		constant := spec.(*ast.ValueSpec)
		if got := constant.Names[0].Name; got != goCase(want[i].name) {
			t.Errorf("constant %s, want %s", got, goCase(want[i].name))
		}
		if got := literal(constant.Values[0]); got != strconv.Itoa(int(want[i].code)) {
			t.Errorf("%s is %s, in Kafka %d", constant.Names[0], got, want[i].code)
		}
		if constant.Comment.Text() == "" {
			t.Errorf("%s has no comment", constant.Names[0])
		}
	}
}

func goCase(kafka string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(kafka, "_") {
		if word != "ID" {
			word = word[:1] + strings.ToLower(word[1:])
		}
		b.WriteString(word)
	}
	return b.String()
}

func literal(e ast.Expr) string {
	if minus, ok := e.(*ast.UnaryExpr); ok {
		return minus.Op.String() + literal(minus.X)
	}
	return e.(*ast.BasicLit).Value
}

func TestOf(t *testing.T) {
	f := func(err error, want Code) {
		t.Helper()
		if got := Of(err); got != want {
			t.Errorf("Of(%v) = %s, want %s", err, got, want)
		}
	}
	f(nil, None)
	f(NotCoordinator, NotCoordinator)
	f(fmt.Errorf("commit orders/0: %w", UnknownMemberID), UnknownMemberID)
	f(fmt.Errorf("outer: %w", fmt.Errorf("inner: %w", CorruptMessage)), CorruptMessage)
	f(errors.Join(errors.New("first"), PolicyViolation), PolicyViolation)
	f(errors.New("disk on fire"), UnknownServerError)
	f(fmt.Errorf("text only: %v", UnknownMemberID), UnknownServerError)
}

func TestCodesNobodyKnows(t *testing.T) {
	f := func(c Code, name string) {
		t.Helper()
		if c.Name() != name || c.Retriable() {
			t.Errorf("%d: name %s, retriable %t", int16(c), c.Name(), c.Retriable())
		}
	}
	f(ControllerIDNotRegistered+1, "ERROR_CODE_137")
	f(-2, "ERROR_CODE_-2")
	f(math.MaxInt16, "ERROR_CODE_32767")
	f(math.MinInt16, "ERROR_CODE_-32768")
}

func TestErrorIsTheName(t *testing.T) {
	if got := fmt.Errorf("fetch orders/0: %w", OffsetOutOfRange).Error(); got != "fetch orders/0: OFFSET_OUT_OF_RANGE" {
		t.Error(got)
	}
}
