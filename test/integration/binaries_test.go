package integration

import (
	"debug/buildinfo"
	"debug/elf"
	"os"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// TestBinaries holds the programs to what their starts and their trust cost:
// static, not position independent (whose relocations are private memory), and
// the launcher alone with C in it. Its size is paid at every start, which runs
// it once more; the worker's is memory. A bound that is met by what was added
// for good reason is raised here, knowingly.
func TestBinaries(t *testing.T) {
	for _, test := range []struct {
		name string
		cgo  string
		most int64 // bytes
	}{
		{"mpsupervisor", "0", 15 << 20},
		// Two engines, and Go's part of the web platform: what a program does not
		// use of it is never read into memory.
		{"mpworker", "0", 16 << 20},
		{"mplauncher", "1", 9 << 20},
	} {
		path := daemon.Program(test.name)
		file, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if file.Type != elf.ET_EXEC {
			t.Errorf("%s is of type %v, want %v", test.name, file.Type, elf.ET_EXEC)
		}
		for _, p := range file.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
				t.Errorf("%s is not static: it has a %v", test.name, p.Type)
			}
		}
		if got := setting(t, path, "CGO_ENABLED"); got != test.cgo {
			t.Errorf("%s was built with CGO_ENABLED=%s, want %s", test.name, got, test.cgo)
		}
		if info, err := os.Stat(path); err != nil || info.Size() > test.most {
			t.Errorf("%s has %d bytes, more than %d (%v)", test.name, info.Size(), test.most, err)
		}
	}
}

func setting(t *testing.T, path, key string) string {
	t.Helper()
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}
