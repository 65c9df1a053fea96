package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// filesystems names the ones a benchmark is likely to meet, by the magic number of statfs(2).
var filesystems = map[int64]string{
	unix.EXT4_SUPER_MAGIC:      "ext4",
	unix.XFS_SUPER_MAGIC:       "xfs",
	unix.BTRFS_SUPER_MAGIC:     "btrfs",
	unix.OVERLAYFS_SUPER_MAGIC: "overlayfs",
	unix.TMPFS_MAGIC:           "tmpfs: NOT A DISK, a sync costs nothing there",
}

// machine describes what the figures were measured on.
func machine(dir string) string {
	return fmt.Sprintf("%s, %d × %s, Linux %s, files on %s",
		runtime.Version(), runtime.NumCPU(), cpuModel(), kernel(), filesystem(dir))
}

func filesystem(dir string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "an unknown file system"
	}
	if name := filesystems[int64(st.Type)]; name != "" {
		return name
	}
	return fmt.Sprintf("file system %#x", st.Type)
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "?"
	}
	return unix.ByteSliceToString(u.Release[:])
}

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "CPU"
	}
	_, rest, found := strings.Cut(string(text), "model name")
	line, _, _ := strings.Cut(rest, "\n")
	if !found {
		return runtime.GOARCH
	}
	return strings.TrimSpace(strings.TrimLeft(line, " \t:"))
}
