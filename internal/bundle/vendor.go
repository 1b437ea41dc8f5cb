package bundle

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// vendorName is the manifest's member for what only mpsupervisor knows.
const vendorName = "mpsupervisor"

// The runtimes.
const (
	RuntimeJS     = "js"     // ES modules in QuickJS
	RuntimeNative = "native" // a program for Linux, with the root directory that it lives in
	RuntimeWasm   = "wasm"   // a module of WebAssembly, with WASI preview 1
)

var runtimes = []string{RuntimeJS, RuntimeNative, RuntimeWasm}

// Vendor is the manifest's member "mpsupervisor". A JavaScript program needs
// none of it, a native one runtime and entry; nothing in it may be wrong.
type Vendor struct {
	Runtime string  // RuntimeJS, the default, or another
	Entry   string  // the first module, "app.js" by default, or the program below root/, or the module "app.wasm"; Open saw it in the package
	Native  *Native // for RuntimeNative never nil, for the others always
	Limits  Limits
}

// Limits are what the program asks for. A nil member asks for nothing. The
// members are those of mp.Limits.
type Limits struct {
	Memory      *int64
	MemorySoft  *int64
	Pids        *int64
	CPU         *float64
	CPUWeight   *int64
	IORate      *int64
	IOWeight    *int64
	TmpBytes    *int64
	TmpFiles    *int64
	Files       *int64
	CallTimeout *time.Duration
	LogRate     *int
	IPCRate     *int
}

// Over returns base with what l asks for in its place. Each member of l is
// within the bounds of mp.Limits; base is trusted to be. A soft memory limit
// that only base has is lowered to the hard one that l asks for.
func (l Limits) Over(base mp.Limits) mp.Limits {
	set(&base.Memory, l.Memory)
	base.MemorySoft = min(base.MemorySoft, base.Memory)
	set(&base.MemorySoft, l.MemorySoft)
	set(&base.Pids, l.Pids)
	set(&base.CPU, l.CPU)
	set(&base.CPUWeight, l.CPUWeight)
	set(&base.IORate, l.IORate)
	set(&base.IOWeight, l.IOWeight)
	set(&base.TmpBytes, l.TmpBytes)
	set(&base.TmpFiles, l.TmpFiles)
	set(&base.Files, l.Files)
	set(&base.CallTimeout, l.CallTimeout)
	set(&base.LogRate, l.LogRate)
	set(&base.IPCRate, l.IPCRate)
	return base
}

func set[T any](dst, src *T) {
	if src != nil {
		*dst = *src
	}
}

func defaultVendor() Vendor { return Vendor{Runtime: RuntimeJS, Entry: "app.js"} }

func (m *Vendor) read(c *checker, path string, v *value) error {
	rules := []rule{
		{"runtime", checked, readRuntime(&m.Runtime)},
		{"entry", checked, filePath(&m.Entry)},
		{"native", checked, m.readNative},
		{"limits", checked, m.Limits.read},
	}
	if err := strict(c, path, v, rules); err != nil {
		return err
	}
	if _, ok := v.member("entry"); !ok && m.Runtime == RuntimeWasm {
		m.Entry = defaultModule
	}
	return m.checkNative(path, v)
}

// defaultModule is the entry of a program of WebAssembly that names none.
const defaultModule = "app.wasm"

// strict reads an object that must have nothing but what rules know.
func strict(c *checker, path string, v *value, rules []rule) error {
	if err := fields(c, path, v, rules); err != nil {
		return err
	}
	return onlyKnown(path, v, rules)
}

func readRuntime(dst *string) reader {
	return func(_ *checker, path string, v *value) error {
		if v.kind != isString {
			return wrongType(path, v, isString)
		}
		if !slices.Contains(runtimes, v.text) {
			return fault(path, v.line, "%.40q is not known: known are %s", v.text, quotedList(runtimes))
		}
		*dst = v.text
		return nil
	}
}

// read comes to memory first: the soft limit is held against it.
func (l *Limits) read(c *checker, path string, v *value) error {
	return strict(c, path, v, []rule{
		{"memory", checked, bounded(l, &l.Memory, readBytes)},
		{"memory_soft", checked, bounded(l, &l.MemorySoft, readBytes)},
		{"pids", checked, bounded(l, &l.Pids, readWhole)},
		{"cpu", checked, bounded(l, &l.CPU, readFloat)},
		{"cpu_weight", checked, bounded(l, &l.CPUWeight, readWhole)},
		{"io_rate", checked, bounded(l, &l.IORate, readBytes)},
		{"io_weight", checked, bounded(l, &l.IOWeight, readWhole)},
		{"tmp_bytes", checked, bounded(l, &l.TmpBytes, readBytes)},
		{"tmp_files", checked, bounded(l, &l.TmpFiles, readWhole)},
		{"files", checked, bounded(l, &l.Files, readWhole)},
		{"call_timeout", checked, bounded(l, &l.CallTimeout, readDuration)},
		{"log_rate", checked, bounded(l, &l.LogRate, readRate)},
		{"ipc_rate", checked, bounded(l, &l.IPCRate, readRate)},
	})
}

// bounded reads one limit and holds it against the bounds of mp.Limits.
func bounded[T any](l *Limits, dst **T, read func(path string, v *value) (T, error)) reader {
	return func(_ *checker, path string, v *value) error {
		got, err := read(path, v)
		if err != nil {
			return err
		}
		*dst = &got
		if err := l.check(); err != nil {
			return fault(path, v.line, "is out of bounds: %v", err)
		}
		return nil
	}
}

// check holds what is there against the bounds. A soft memory limit without a
// hard one is held against that of the host when the program is started.
func (l *Limits) check() error {
	base := mp.DefaultLimits()
	if l.Memory == nil {
		base.Memory = mp.MaxMemory
	}
	return l.Over(base).Check()
}

func readWhole(path string, v *value) (n int64, err error) {
	return n, whole(&n)(nil, path, v)
}

// maxRate is above every rate's bound.
const maxRate = 1 << 30

func readRate(path string, v *value) (int, error) {
	n, err := readWhole(path, v)
	return int(min(n, maxRate)), err // clamped, for int may have 32 bits
}

func readFloat(path string, v *value) (float64, error) {
	if v.kind != isNumber {
		return 0, wrongType(path, v, isNumber)
	}
	f, err := strconv.ParseFloat(v.text, 64)
	if err != nil {
		return 0, fault(path, v.line, "is too large a number: %.40s", v.text)
	}
	return f, nil
}

func readDuration(path string, v *value) (time.Duration, error) {
	if v.kind != isString {
		return 0, fault(path, v.line, "must be a string with a unit, such as \"5s\" or \"500ms\", not %s", v.kind)
	}
	d, err := time.ParseDuration(v.text)
	if err != nil {
		return 0, fault(path, v.line, "must have a unit, such as \"5s\" or \"500ms\", not %.40q", v.text)
	}
	return d, nil
}

// byteSize is what units.RAMInBytes takes, less its oddities (signs, "inf",
// hexadecimal) and less what does not fit into an int64.
var byteSize = form(`^[0-9]{1,9}(\.[0-9]{1,6})? ?[KMGkmg]i?[Bb]?$`)

// readBytes reads a number of bytes, or a string such as "64M" (powers of 1024).
func readBytes(path string, v *value) (int64, error) {
	if v.kind == isNumber {
		return readWhole(path, v)
	}
	if v.kind != isString || !byteSize().MatchString(v.text) {
		return 0, fault(path, v.line, "must be a size such as \"64M\" or a number of bytes, not %s", shown(v))
	}
	n, err := units.RAMInBytes(v.text)
	if err != nil {
		return 0, fault(path, v.line, "must be a size such as \"64M\", not %.40q", v.text)
	}
	return n, nil
}

func shown(v *value) string {
	if v.kind == isString {
		return strconv.Quote(v.text[:min(len(v.text), 40)])
	}
	return strings.TrimSpace(string(v.kind))
}
