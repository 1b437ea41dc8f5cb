package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

func aProgram(id, app string, cpu float64, memory, pids, denials uint64) statsView {
	return statsView{Program: programView{ID: id, AppID: app, State: "running"}, Denials: denials,
		Now: &sampleView{CPU: cpu, Memory: memory, Pids: pids}}
}

func four() []statsView {
	fresh := aProgram("dd", "delta", 0, 0, 0, 0)
	fresh.Now = nil
	return []statsView{
		aProgram("aa", "charly", 0.1, 300, 2, 0), aProgram("bb", "alpha", 0.3, 100, 1, 9), aProgram("cc", "bravo", 0.2, 200, 3, 0), fresh,
	}
}

func ids(m *topModel) (out string) {
	for _, v := range m.rows {
		out += v.Program.ID
	}
	return out
}

func press(m *topModel, keys string) (do deed, id string) {
	for _, k := range readKeys([]byte(keys)) {
		do, id = m.press(k)
	}
	return do, id
}

func TestTopSorts(t *testing.T) {
	for keys, want := range map[string]string{
		"": "bbccaadd", "m": "aaccbbdd", "p": "ccaabbdd", "d": "bbaaccdd", "n": "bbccaadd", "r": "ddaaccbb", "mr": "ddbbccaa", "mrr": "aaccbbdd", "z": "bbccaadd",
	} {
		m := newTopModel()
		m.update(four(), time.Now())
		press(m, keys)
		if got := ids(m); got != want {
			t.Errorf("%q: %s, want %s", keys, got, want)
		}
	}
}

func TestTopSelects(t *testing.T) {
	for keys, want := range map[string]string{
		"": "bb", "j": "cc", "jj": "aa", "jk": "bb", "k": "bb", "jjjjjjj": "dd", "\x1b[B": "cc", "\x1bOB\x1bOA": "bb", "G": "dd", "\x1b[F": "dd", "Gg": "bb",
		"\x1b[6~": "aa", "\x1b[6~\x1b[5~": "bb", "\x1b[1;5B": "bb", // Ctrl-down is no key of ours, and no "B" either
		"jm": "cc", // the selection stays on the program
	} {
		m := newTopModel()
		m.page = 2
		m.update(four(), time.Now())
		press(m, keys)
		if m.selected != want || m.rows[m.index].Program.ID != want || m.first > m.index || m.index >= m.first+m.page {
			t.Errorf("%q: selected %s at %d, shown from %d; want %s", keys, m.selected, m.index, m.first, want)
		}
	}
}

func TestTopSelectionWhenProgramsEnd(t *testing.T) {
	m := newTopModel()
	m.update(four(), time.Now())
	press(m, "G")
	m.update(four()[:2], time.Now())
	if m.selected != "aa" || m.index != 1 {
		t.Errorf("selected %s at %d", m.selected, m.index)
	}
	m.update(nil, time.Now())
	if do, _ := press(m, "jkxf"); do != deedNone || m.asking != nil || m.current() != nil {
		t.Errorf("%s with nothing there", do)
	}
	if lines := m.lines(80, 24); len(lines) != 24 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestTopDeeds(t *testing.T) {
	for _, tt := range []struct {
		keys string
		do   deed
		id   string
	}{
		{"q", deedQuit, ""}, {"\x03", deedQuit, ""}, {"x\x03", deedQuit, ""}, {"\x1a", deedSuspend, ""},
		{"x", deedNone, ""}, {"xy", deedKill, "bb"}, {"xn", deedNone, ""}, {"xq", deedNone, ""}, {"x\x1b", deedNone, ""}, {"jxY", deedKill, "cc"},
		{"f", deedFreeze, "bb"}, {"?q", deedNone, ""}, {"?qq", deedQuit, ""},
	} {
		m := newTopModel()
		m.update(four(), time.Now())
		if do, id := press(m, tt.keys); do != tt.do || id != tt.id {
			t.Errorf("%q: %q %s, want %q %s", tt.keys, do, id, tt.do, tt.id)
		}
	}
	m := newTopModel()
	rows := four()
	rows[1].Program.State = "frozen"
	m.update(rows, time.Now())
	if do, id := press(m, "f"); do != deedThaw || id != "bb" {
		t.Errorf("%s %s", do, id)
	}
}

// TestTopKillsWhomItAskedAbout holds that rows that move under the question do
// not change its answer.
func TestTopKillsWhomItAskedAbout(t *testing.T) {
	m := newTopModel()
	m.update(four(), time.Now())
	press(m, "x")
	m.update(four()[2:], time.Now())
	if do, id := press(m, "y"); do != deedKill || id != "bb" {
		t.Errorf("%s %s", do, id)
	}
}

func TestTopLines(t *testing.T) {
	rows := four()
	rows[1].Program.AppID = evil + strings.Repeat("漢字", 40)
	rows[0].ThrottledBy = "cpu"
	m := newTopModel()
	m.update(rows, time.Now())
	states := map[string]func(){
		"table":    func() {},
		"question": func() { press(m, "x") },
		"problem":  func() { press(m, "n"); m.problem = "no daemon answers on " + evil },
		"failure":  func() { m.problem = ""; m.done(deedKill, "bb", errors.New(evil)) },
		"help":     func() { press(m, "?") },
	}
	for _, name := range []string{"table", "question", "problem", "failure", "help"} {
		states[name]()
		for _, size := range [][2]int{{200, 24}, {80, 24}, {40, 10}, {20, 5}, {3, 4}, {1, 1}, {80, 2}} {
			lines := m.lines(size[0], size[1])
			if len(lines) > size[1] {
				t.Errorf("%s: %d lines on %v", name, len(lines), size)
			}
			for _, l := range lines {
				bare := strings.NewReplacer(reverse, "", bold, "", plain, "").Replace(l)
				if n := cellsOf(bare); n > size[0] {
					t.Errorf("%s: %d cells on %v: %q", name, n, size, bare)
				}
				if strings.ContainsFunc(bare, func(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }) {
					t.Errorf("%s: not tame: %q", name, bare)
				}
			}
		}
	}
}

func TestTopMarksTheColumn(t *testing.T) {
	m := newTopModel()
	m.update(four(), time.Now())
	for keys, want := range map[string]string{"c": "CPU", "m": "MEMORY", "p": "PIDS", "d": "DENIED", "n": "APP"} {
		press(m, keys)
		for _, width := range []int{80, 200} {
			titles := m.lines(width, 24)[2]
			_, after, _ := strings.Cut(titles, reverse)
			marked, after, _ := strings.Cut(after, plain)
			if marked != want || strings.HasPrefix(after, "/S") {
				t.Errorf("%s: marked %q in %q", keys, marked, titles)
			}
		}
	}
	for width := range 120 {
		m.lines(width, 24) // a title that is cut is not marked, and nothing breaks
	}
}

func TestTopScrolls(t *testing.T) {
	var many []statsView
	for i := range 50 {
		many = append(many, aProgram(fmt.Sprintf("p%02d", i), "app", float64(i), 0, 0, 0))
	}
	m := newTopModel()
	m.lines(80, 14) // ten rows fit
	m.update(many, time.Now())
	press(m, strings.Repeat("j", 25))
	text := strings.Join(m.lines(80, 14), "\n")
	if !strings.Contains(text, reverse+"p24") || strings.Contains(text, "p49") || strings.Contains(text, "p23") {
		t.Errorf("%s", text)
	}
	m.lines(80, 100)
	if m.first != 0 {
		t.Errorf("on a larger screen the table begins with row %d", m.first)
	}
}

func TestReadKeys(t *testing.T) {
	for text, want := range map[string][]key{
		"q": {"q"}, "\x1b": {keyEscape}, "\x1b[A": {keyUp}, "jj\x1b[Bq": {"j", "j", keyDown, "q"}, "\x1b[200~x": {"unknown", "x"},
		"\x1b[": {"unknown"}, "\x1b\x1b": {"unknown"}, "\x1bxq": {"unknown", "q"}, "é": {"\xc3", "\xa9"},
	} {
		if got := readKeys([]byte(text)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzReadKeys(f *testing.F) {
	for _, s := range []string{"q", "\x1b[A", "\x1b[1;5B", "\x1bO", "\x1b["} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := len(readKeys(b)); n > len(b) {
			t.Errorf("%d keys of %d bytes", n, len(b))
		}
	})
}

func TestTail(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  string
	}{{"com.example.loan", 16, "com.example.loan"}, {"com.example.loan", 8, "…le.loan"}, {"漢字漢", 4, "…漢"}, {"漢字漢", 5, "…字漢"}} {
		if got := tail(tt.text, tt.width); got != tt.want || cellsOf(got) > tt.width {
			t.Errorf("%q to %d: %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"漢字漢", 5, "漢字…"}, {"漢字漢", 4, "漢…"}, {"e\u0301e\u0301e\u0301", 2, "e\u0301…"}, {"a", 0, ""}, {"ab", 1, "…"},
	} {
		if got := cut(tt.text, tt.width); got != tt.want || cellsOf(got) > tt.width {
			t.Errorf("%q to %d: %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}
