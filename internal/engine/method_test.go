package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

type lastLine struct{ level, text string }

func (l *lastLine) Log(level, text string) { l.level, l.text = level, text }

func TestAsk(t *testing.T) {
	for _, c := range []struct{ name, params, want, err string }{
		{"app", ``, `{"id":"com.example.test"}`, ""},
		{"app", `{"ignored":1}`, `{"id":"com.example.test"}`, ""},
		{"log", `{"level":"warn","text":"<é>"}`, `null`, ""},
		{"log", `{"level":"loud","text":"x"}`, ``, "level is not"},
		{"log", `{"level":"info"}`, ``, "are needed"},
		{"log", `{"level":"info","text":5}`, ``, "text must not be a JSON number"},
		{"log", `["info","x"]`, ``, "not an object"},
		{"log", ``, ``, "not an object"},
	} {
		got, err := Ask(Guest{&Program{AppID: "com.example.test"}, &lastLine{}}, c.name, []byte(c.params))
		var params *ParamsError
		if string(got) != c.want || (err != nil) != (c.err != "") || err != nil && (!errors.As(err, &params) || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s(%s): %s, %v, want %s, %s", c.name, c.params, got, err, c.want, c.err)
		}
	}
}

func TestAskLogs(t *testing.T) {
	var l lastLine
	if _, err := Ask(Guest{&Program{}, &l}, "log", []byte(`{"level":"error","text":"héllo"}`)); err != nil {
		t.Fatal(err)
	}
	if want := (lastLine{"error", "héllo"}); l != want {
		t.Errorf("got %+v", l)
	}
}

func TestAskUnknown(t *testing.T) {
	for _, name := range []string{"", "App", "rpc.discover", strings.Repeat("x", 1000)} {
		if _, err := Ask(Guest{&Program{}, &lastLine{}}, name, nil); !errors.Is(err, mp.ErrNotFound) || len(err.Error()) > 200 {
			t.Errorf("%.20s: %v", name, err)
		}
	}
}
