package examples_test

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// item is a row of hostile's menu.
type item struct{ Name, Does, Ends string }

// needsProcess are the items that the engine cannot end from inside: the
// process around it must be killed, which is the supervisor's part.
var needsProcess = []string{"uninterruptible"}

func menu(t *testing.T, p *program) []item {
	t.Helper()
	output, err := p.call(time.Minute, "menu", "")
	must(t, err)
	var items []item
	must(t, json.Unmarshal([]byte(output), &items))
	return items
}

// Each item ends as the menu says, and where that is not the program's end the
// program answers afterwards.
func TestHostile(t *testing.T) {
	pkg := open(t, "hostile")
	first := start(t, pkg, time.Minute)
	items := menu(t, first)
	first.stop()
	for _, it := range items {
		t.Run(it.Name, func(t *testing.T) {
			if slices.Contains(needsProcess, it.Name) {
				t.Skip("the engine alone cannot end it: needs a worker process")
			}
			turn := time.Minute
			if it.Ends == "call limit" {
				turn = 300 * time.Millisecond // no need to wait for longer
			}
			p := start(t, pkg, turn)
			defer p.stop()
			output, err := p.call(turn, it.Name, "")
			checkEnd(t, p, it, output, err)
		})
	}
}

func checkEnd(t *testing.T, p *program, it item, output string, err error) {
	t.Helper()
	var guest *mp.GuestError
	switch it.Ends {
	case "call limit", "memory limit", "exited":
		checkEnded(t, p, mp.Cause(it.Ends), err)
		return
	case "throws":
		if !errors.As(err, &guest) {
			t.Errorf("got %.80s, %v, want a GuestError", output, err)
		}
	case "too large":
		if !errors.Is(err, mp.ErrTooLarge) {
			t.Errorf("got %.80s, %v, want mp.ErrTooLarge", output, err)
		}
	case "answers":
		if err != nil {
			t.Errorf("got %v, want an answer", err)
		}
	default:
		t.Errorf("the menu says %q", it.Ends)
	}
	checkAlive(t, p)
}

// checkEnded waits for the end, which follows the call's at once.
func checkEnded(t *testing.T, p *program, want mp.Cause, callErr error) {
	t.Helper()
	var exit *engine.Exit
	select {
	case ended := <-p.ended:
		if !errors.As(ended, &exit) || exit.Cause != want {
			t.Errorf("ended by %v, want %s; the call's error: %v", ended, want, callErr)
		}
	case <-time.After(30 * time.Second):
		t.Errorf("it goes on, want %s; the call's error: %v", want, callErr)
	}
}

// checkAlive makes a call that every program still answers, even one that has
// broken its own built-in functions.
func checkAlive(t *testing.T, p *program) {
	t.Helper()
	if output, err := p.call(time.Minute, "menu", ""); err != nil {
		t.Errorf("afterwards menu gave %.80s, %v", output, err)
	}
}

// What nobody catches is logged as an error, with the package's file and line.
func TestHostileErrorsAreLogged(t *testing.T) {
	pkg := open(t, "hostile")
	for function, want := range map[string]string{
		"errorInTimer":       "nobody catches this",
		"unhandledRejection": "nobody handles this",
	} {
		t.Run(function, func(t *testing.T) {
			p := start(t, pkg, time.Minute)
			defer p.stop()
			_, err := p.call(time.Minute, function, "")
			must(t, err)
			line := p.waitFor(t, want)
			if !strings.HasPrefix(line, "error: ") || !regexp.MustCompile(`noise\.js:\d+`).MatchString(line) {
				t.Errorf("logged %q", line)
			}
		})
	}
}

// waitFor returns the first logged line that has text in it.
func (p *program) waitFor(t *testing.T, text string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for _, line := range p.lines() {
			if strings.Contains(line, text) {
				return line
			}
		}
	}
	t.Fatalf("%q was not logged", text)
	return ""
}

// The menu, the exported functions and the README are three lists of the same.
func TestHostileMenuIsComplete(t *testing.T) {
	p := start(t, open(t, "hostile"), time.Minute)
	readme, err := os.ReadFile("hostile/README.md")
	must(t, err)
	rows := map[string]string{} // name → cause
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]+) \\|").FindAllStringSubmatch(string(readme), -1) {
		rows[m[1]] = m[2]
	}
	items := menu(t, p)
	for _, it := range items {
		if got := rows[it.Name]; got != it.Ends {
			t.Errorf("%s ends with %q in the menu and %q in the README", it.Name, it.Ends, got)
		}
		delete(rows, it.Name)
	}
	for name := range rows {
		t.Errorf("%s is in the README and not in the menu", name)
	}
	names := []string{"menu"}
	for _, it := range items {
		names = append(names, it.Name)
	}
	slices.Sort(names)
	if exports := slices.Sorted(slices.Values(p.exports)); !slices.Equal(exports, names) {
		t.Errorf("exported: %q\nin the menu: %q", exports, names)
	}
}
