package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/launch"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// good gives a request of each kind that the protocol has.
func good(op launch.Op) (launch.Request, int) {
	l := mp.DefaultLimits()
	r := launch.Request{Seq: 1, Op: op, ID: "a"}
	switch op {
	case launch.OpStart:
		r.Role, r.Limits = launch.RoleJS, &l
		return r, 3
	case launch.OpLimit:
		r.Limits = &l
	case launch.OpSample:
		r.ID, r.IDs = "", []mp.InstanceID{"a", "b"}
	}
	return r, 0
}

func native(r *launch.Request) {
	r.Role, r.TTY, r.Learn, r.Only = launch.RoleNative, true, true, []string{"clone3"}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		what   string
		op     launch.Op
		change func(*launch.Request)
		files  int // more than the good one has
		ok     bool
	}{
		{"start", launch.OpStart, nil, 0, true},
		{"start that learns", launch.OpStart, func(r *launch.Request) { r.Learn = true }, 0, true},
		{"native start", launch.OpStart, native, 1, true},
		{"native start, most calls", launch.OpStart, func(r *launch.Request) { native(r); r.Only = many(launch.MaxOnly) }, 1, true},
		{"sample, most", launch.OpSample, func(r *launch.Request) { r.IDs = ids(launch.MaxSamples) }, 0, true},
		{"limit", launch.OpLimit, nil, 0, true},
		{"freeze", launch.OpFreeze, nil, 0, true},
		{"thaw", launch.OpThaw, nil, 0, true},
		{"kill", launch.OpKill, nil, 0, true},
		{"stat", launch.OpStat, nil, 0, true},

		{"no operation", "", nil, 0, false},
		{"unknown operation", "exec", nil, 0, false},
		{"no number", launch.OpKill, func(r *launch.Request) { r.Seq = 0 }, 0, false},
		{"no name", launch.OpKill, func(r *launch.Request) { r.ID = "" }, 0, false},
		{"start without a name", launch.OpStart, func(r *launch.Request) { r.ID = "../x" }, 0, false},
		{"start without limits", launch.OpStart, func(r *launch.Request) { r.Limits = nil }, 0, false},
		{"start of several", launch.OpStart, func(r *launch.Request) { r.IDs = ids(1) }, 0, false},
		{"start with a root", launch.OpStart, nil, 1, false},
		{"start without a descriptor", launch.OpStart, nil, -1, false},
		{"start with a terminal", launch.OpStart, func(r *launch.Request) { r.TTY = true }, 0, false},
		{"start with a list", launch.OpStart, func(r *launch.Request) { r.Only = many(1) }, 0, false},
		{"native start without a root", launch.OpStart, native, 0, false},
		{"native start, too many calls", launch.OpStart, func(r *launch.Request) { native(r); r.Only = many(launch.MaxOnly + 1) }, 1, false},
		{"native start, empty call", launch.OpStart, func(r *launch.Request) { native(r); r.Only = []string{""} }, 1, false},
		{"native start, call with a space", launch.OpStart, func(r *launch.Request) { native(r); r.Only = []string{"a b"} }, 1, false},
		{"native start, long call", launch.OpStart, func(r *launch.Request) { native(r); r.Only = []string{strings.Repeat("a", 33)} }, 1, false},
		{"limit without limits", launch.OpLimit, func(r *launch.Request) { r.Limits = nil }, 0, false},
		{"limit with a descriptor", launch.OpLimit, nil, 1, false},
		{"kill with limits", launch.OpKill, func(r *launch.Request) { r.Limits = new(mp.Limits) }, 0, false},
		{"kill with a role", launch.OpKill, func(r *launch.Request) { r.Role = launch.RoleJS }, 0, false},
		{"kill that learns", launch.OpKill, func(r *launch.Request) { r.Learn = true }, 0, false},
		{"kill with a list", launch.OpKill, func(r *launch.Request) { r.Only = []string{} }, 0, false},
		{"kill of several", launch.OpKill, func(r *launch.Request) { r.IDs = ids(1) }, 0, false},
		{"sample of one", launch.OpSample, func(r *launch.Request) { r.ID = "a" }, 0, false},
		{"sample of none", launch.OpSample, func(r *launch.Request) { r.IDs = nil }, 0, false},
		{"sample of too many", launch.OpSample, func(r *launch.Request) { r.IDs = ids(launch.MaxSamples + 1) }, 0, false},
		{"sample of no name", launch.OpSample, func(r *launch.Request) { r.IDs[1] = "../x" }, 0, false},
		{"sample with limits", launch.OpSample, func(r *launch.Request) { r.Limits = new(mp.Limits) }, 0, false},
		{"sample with a terminal", launch.OpSample, func(r *launch.Request) { r.TTY = true }, 0, false},
		{"sample with a descriptor", launch.OpSample, nil, 1, false},
	} {
		r, files := good(test.op)
		if test.change != nil {
			test.change(&r)
		}
		if err := check(r, files+test.files); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.what, err)
		}
	}
}

func many(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint("call", i))
	}
	return names
}

func ids(n int) (all []mp.InstanceID) {
	for range n {
		all = append(all, "a")
	}
	return all
}

// Whatever passes has what is done with it, and nothing that could be a path.
func FuzzCheck(f *testing.F) {
	for _, op := range []launch.Op{launch.OpStart, launch.OpLimit, launch.OpSample, launch.OpKill} {
		r, files := good(op)
		b, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, files)
	}
	f.Fuzz(func(t *testing.T, b []byte, files int) {
		var r launch.Request
		if json.Unmarshal(b, &r) != nil || check(r, files) != nil {
			return
		}
		start := r.Op == launch.OpStart
		switch {
		case r.Op == launch.OpSample && (len(r.IDs) == 0 || len(r.IDs) > launch.MaxSamples || r.ID != ""),
			r.Op != launch.OpSample && (!r.ID.Valid() || r.IDs != nil),
			(start || r.Op == launch.OpLimit) != (r.Limits != nil),
			!start && files != 0, start && files < 3,
			start && r.Role == launch.RoleNative && files != 4:
			t.Errorf("%s with %d descriptors passes", b, files)
		}
		for _, s := range r.Only {
			if strings.ContainsAny(s, " /.\x00") {
				t.Errorf("%q passes for a system call", s)
			}
		}
	})
}
