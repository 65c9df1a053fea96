package file

import (
	"fmt"
	"strconv"
	"strings"
)

// Folder is the journal's directory below that of a server's storage.
const Folder = "journal"

// Every name in a journal's directory is built and read here.
const (
	lockName     = "LOCK"
	floorName    = "FLOOR"
	volumeSuffix = ".journal"
	slotsSuffix  = ".slots"
	sparePrefix  = "spare-"
	unfinished   = ".tmp" // ends the name of what is not ready; removed when the journal is opened
)

// volumeName is the volume whose first entry is in slot first. Names sort as slots do.
func volumeName(first uint64) string { return fmt.Sprintf("%020d", first) + volumeSuffix }

// slotsName is the table of the positions in that volume.
func slotsName(first uint64) string { return fmt.Sprintf("%020d", first) + slotsSuffix }

func spareName(number uint64) string { return sparePrefix + strconv.FormatUint(number, 10) }

// A listing is what a directory holds, sorted out by name. Names that are not ours are nowhere in it.
type listing struct {
	volumes []numbered // by first slot
	tables  []numbered // by first slot
	spares  []numbered
	litter  []string
	floor   bool
}

// A numbered is a file of a kind that has many.
type numbered struct {
	number uint64
	fileInfo
}

// sortOut sorts files out, which come in the order of their names.
func sortOut(files []fileInfo) (l listing) {
	for _, f := range files {
		if n, ok := numberIn(f.name, volumeName); ok {
			l.volumes = append(l.volumes, numbered{n, f})
		} else if n, ok := numberIn(f.name, slotsName); ok {
			l.tables = append(l.tables, numbered{n, f})
		} else if n, ok := numberIn(f.name, spareName); ok {
			l.spares = append(l.spares, numbered{n, f})
		} else if ours, ok := strings.CutSuffix(f.name, unfinished); ok && isOurs(ours) {
			l.litter = append(l.litter, f.name)
		}
		l.floor = l.floor || f.name == floorName
	}
	return l
}

// highest is the highest number in files.
func highest(files []numbered) (n uint64) {
	for _, f := range files {
		n = max(n, f.number)
	}
	return n
}

func isOurs(name string) bool {
	_, table := numberIn(name, slotsName)
	_, spare := numberIn(name, spareName)
	return table || spare || name == floorName
}

// numberIn returns the number from which build makes name.
func numberIn(name string, build func(uint64) string) (uint64, bool) {
	digits := strings.TrimPrefix(name, sparePrefix)
	digits, _, _ = strings.Cut(digits, ".")
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && build(n) == name
}
