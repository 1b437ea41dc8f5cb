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

// RuntimeJS runs ES modules in QuickJS.
const RuntimeJS = "js"

var runtimes = []string{RuntimeJS}

// Vendor is the manifest's member "mpsupervisor". All of it is optional, none
// of it may be wrong.
type Vendor struct {
	Runtime string // RuntimeJS, the default
	Entry   string // the first module, "app.js" by default; Open saw it in the package
	Limits  Limits
}

// Limits are what the program asks for. A nil member asks for nothing.
type Limits struct {
	Memory      *int64         // bytes
	Pids        *int64         // tasks
	CPU         *float64       // processors
	CallTimeout *time.Duration // of one call
	LogRate     *int           // lines a second
}

// Over returns base with what l asks for in its place. Each member of l is
// within the bounds of mp.Limits; base is trusted to be.
func (l Limits) Over(base mp.Limits) mp.Limits {
	set(&base.Memory, l.Memory)
	set(&base.Pids, l.Pids)
	set(&base.CPU, l.CPU)
	set(&base.CallTimeout, l.CallTimeout)
	set(&base.LogRate, l.LogRate)
	return base
}

func set[T any](dst, src *T) {
	if src != nil {
		*dst = *src
	}
}

func defaultVendor() Vendor { return Vendor{Runtime: RuntimeJS, Entry: "app.js"} }

func (m *Vendor) read(c *checker, path string, v *value) error {
	return strict(c, path, v, []rule{
		{"runtime", checked, readRuntime(&m.Runtime)},
		{"entry", checked, filePath(&m.Entry)},
		{"limits", checked, m.Limits.read},
	})
}

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

func (l *Limits) read(c *checker, path string, v *value) error {
	return strict(c, path, v, []rule{
		{"memory", checked, bounded(l, &l.Memory, readBytes)},
		{"pids", checked, bounded(l, &l.Pids, readWhole)},
		{"cpu", checked, bounded(l, &l.CPU, readFloat)},
		{"call_timeout", checked, bounded(l, &l.CallTimeout, readDuration)},
		{"log_rate", checked, bounded(l, &l.LogRate, readRate)},
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
		if err := l.Over(mp.DefaultLimits()).Check(); err != nil {
			return fault(path, v.line, "is out of bounds: %v", err)
		}
		return nil
	}
}

func readWhole(path string, v *value) (n int64, err error) {
	return n, whole(&n)(nil, path, v)
}

func readRate(path string, v *value) (int, error) {
	n, err := readWhole(path, v)
	return int(min(n, mp.MaxLogRate+1)), err // clamped, for int may have 32 bits
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
