package monitor

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

var crash = mp.Exit{Cause: mp.CauseMemoryViolation, Signal: 11}

func newQuarantine(t *testing.T) *Quarantine {
	t.Helper()
	q, err := NewQuarantine(DefaultQuarantine())
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestQuarantineGrows(t *testing.T) {
	q, d, now := newQuarantine(t), mp.Digest{1}, noon
	for i := range 2 {
		if until, n := q.Crashed(d, "app", now, crash); !until.IsZero() || n != i+1 {
			t.Fatalf("crash %d: until %v, count %d", i+1, until, n)
		}
		now = now.Add(time.Second)
	}
	for _, want := range []time.Duration{10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600} {
		want *= time.Second
		until, _ := q.Crashed(d, "app", now, crash)
		if until.Sub(now) != want {
			t.Fatalf("for %v, want %v", until.Sub(now), want)
		}
		if _, is := q.Blocked(d, until.Add(-1)); !is {
			t.Errorf("not blocked just before %v are over", want)
		}
		if _, is := q.Blocked(d, until); is {
			t.Errorf("blocked when %v are over", want)
		}
		// Others of the package that were running crash, too.
		if again, _ := q.Crashed(d, "app", now.Add(time.Second), crash); again != until {
			t.Errorf("a crash in quarantine moves its end from %v to %v", until, again)
		}
		now = until.Add(time.Second)
	}
	r, is := q.Blocked(d, now.Add(-2*time.Second))
	if !is || r.Crashes != 24 || r.App != "app" || r.Last != crash || r.Digest != d {
		t.Errorf("%+v", r)
	}
	if _, is := q.Blocked(mp.Digest{2}, now); is {
		t.Error("another package is blocked")
	}
}

func TestQuarantineForgets(t *testing.T) {
	q, d, now := newQuarantine(t), mp.Digest{1}, noon
	for range 10 { // crashes that are far enough apart
		if until, _ := q.Crashed(d, "app", now, crash); !until.IsZero() {
			t.Fatal("blocked")
		}
		now = now.Add(31 * time.Second)
	}
	now = now.Add(time.Hour)
	for range 3 {
		q.Crashed(d, "app", now, crash)
	}
	now = now.Add(10*time.Second + 10*time.Minute) // it ran well for ten minutes
	if until, n := q.Crashed(d, "app", now, crash); !until.IsZero() || n != 1 {
		t.Errorf("until %v, count %d", until, n)
	}
	if len(q.List(now.Add(time.Hour))) != 0 || len(q.records) != 0 {
		t.Errorf("%d records are kept for nothing", len(q.records))
	}
}

func TestQuarantineListAndClear(t *testing.T) {
	q := newQuarantine(t)
	crashThrice := func(d mp.Digest, app mp.AppID, at time.Time) {
		for range 3 {
			q.Crashed(d, app, at, crash)
		}
	}
	crashThrice(mp.Digest{1}, "a", noon.Add(time.Second))
	crashThrice(mp.Digest{2}, "b", noon)
	crashThrice(mp.Digest{3}, "b", noon)
	q.Crashed(mp.Digest{4}, "c", noon, crash)
	var got []string
	for _, r := range q.List(noon.Add(2 * time.Second)) {
		got = append(got, string(r.App)+r.Digest.String()[7:9])
	}
	if strings.Join(got, " ") != "b02 b03 a01" {
		t.Errorf("%v", got)
	}
	if n := len(q.Clear("x")); n != 0 {
		t.Errorf("%d cleared", n)
	}
	if n := len(q.Clear("b")); n != 2 {
		t.Errorf("%d cleared", n)
	}
	if n := len(q.Clear(mp.Digest{1}.String())); n != 1 || len(q.List(noon)) != 0 {
		t.Errorf("%d cleared, left %v", n, q.List(noon))
	}
}

func TestQuarantineClockGoesBack(t *testing.T) {
	q, d := newQuarantine(t), mp.Digest{1}
	for range 3 {
		q.Crashed(d, "app", noon, crash)
	}
	before := noon.Add(-24 * time.Hour)
	if r, is := q.Blocked(d, before); !is || r.Until.Sub(before) != 10*time.Second {
		t.Errorf("blocked %v for %v", is, r.Until.Sub(before))
	}
}

func TestQuarantineOff(t *testing.T) {
	q, d := newQuarantine(t), mp.Digest{1}
	for range 3 {
		q.Crashed(d, "app", noon, crash)
	}
	off := DefaultQuarantine()
	off.Crashes = 0
	if err := q.Configure(off); err != nil {
		t.Fatal(err)
	}
	if _, is := q.Blocked(d, noon); is {
		t.Error("blocked")
	}
	if until, n := q.Crashed(d, "app", noon, crash); !until.IsZero() || n != 0 {
		t.Errorf("until %v, count %d", until, n)
	}
}

func TestQuarantineNeedsADigest(t *testing.T) {
	q := newQuarantine(t)
	for range 9 {
		if until, _ := q.Crashed(mp.Digest{}, "", noon, crash); !until.IsZero() {
			t.Fatal("programs without a package are one")
		}
	}
}

func TestQuarantineIsBounded(t *testing.T) {
	q := newQuarantine(t)
	for i := range 3 * maxRecords {
		var d mp.Digest
		binary.BigEndian.PutUint32(d[:], uint32(i+1))
		q.Crashed(d, "app", noon.Add(time.Duration(i)*time.Millisecond), crash)
	}
	if len(q.records) != maxRecords {
		t.Errorf("%d records", len(q.records))
	}
}

func TestWhatIsACrash(t *testing.T) {
	for _, tt := range []struct {
		exit mp.Exit
		want bool
	}{
		{mp.Exit{Cause: mp.CauseExited}, false},
		{mp.Exit{Cause: mp.CauseExited, Code: 1}, false},
		{mp.Exit{Cause: mp.CauseKilled}, false},
		{mp.Exit{Cause: mp.CauseSupervisorGone}, false},
		{mp.Exit{Cause: mp.CauseSignal, Signal: 15}, false},
		{mp.Exit{Cause: mp.CauseSignal, Signal: 2}, false},
		{mp.Exit{Cause: mp.CauseSignal, Signal: 6}, true},
		{mp.Exit{Cause: mp.CauseSignal, Signal: 8}, true},
		{mp.Exit{Cause: mp.CauseSignal, Signal: 4}, true},
		{mp.Exit{Cause: mp.CauseMemoryViolation}, true},
		{mp.Exit{Cause: mp.CauseSeccomp}, true},
		{mp.Exit{Cause: mp.CauseProtocol}, true},
		{mp.Exit{Cause: mp.CauseMemoryLimit}, true},
		{mp.Exit{Cause: mp.CauseCallLimit}, true},
		{mp.Exit{Cause: mp.CauseRule}, true},
	} {
		if got := Crash(tt.exit); got != tt.want {
			t.Errorf("%v: %v", tt.exit, got)
		}
	}
}
