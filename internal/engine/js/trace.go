package js

import (
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"unsafe"

	"github.com/mpsupervisor/mpsupervisor/internal/engine/js/sourcemap"
)

// Stack traces name the files of the package. Where a bundler left a map, in the
// file itself or beside it, what leaves the engine names the sources instead.

// traces remembers what was looked up, and not the maps: those are large, and
// errors come from few places.
type traces struct {
	known map[place]sourcemap.Origin
	bare  map[string]bool // files that have no map that can be read
}

// place is a place in a file of the package.
type place struct {
	file string
	sourcemap.Place
}

// Bounds of one trace, and of what is remembered.
const (
	maxFrames = 64
	maxMaps   = 8 // files that one trace has maps read of
	maxKnown  = 1024
)

// original rewrites the frames in text, an error as it is shown or its stack.
func (e *Engine) original(text string) string {
	if e.program.Files == nil || !strings.Contains(text, "at ") {
		return text
	}
	lines := strings.SplitAfter(text, "\n")
	frames := map[int]frame{}
	for i, line := range lines {
		if f, ok := frameOf(line); ok && len(frames) < maxFrames {
			frames[i] = f
		}
	}
	e.traces.learn(e.program.Files, frames)
	for i, f := range frames {
		lines[i] = f.from(e.traces.known[f.place])
	}
	return strings.Join(lines, "")
}

// frame is a line of a stack trace.
type frame struct {
	place
	before, after string // of the place
}

// from is the line with the place that f comes from, if that is known.
func (f *frame) from(o sourcemap.Origin) string {
	if o.Source == "" {
		o = sourcemap.Origin{Source: f.file, Line: f.Line, Column: f.Column}
	}
	return f.before + o.Source + ":" + strconv.Itoa(o.Line+1) + ":" + strconv.Itoa(o.Column+1) + f.after
}

// unwrap takes out of the column what is before a file of CommonJS in its line.
func (f *frame) unwrap() {
	if f.Line == 0 && path.Ext(f.file) == commonJS && f.Column >= len(wrapperBegin) {
		f.Column -= len(wrapperBegin)
	}
}

// frameOf reads a line such as "    at f (app.js:3:5)" or "    at app.js:3:5",
// whose numbers begin with 1.
func frameOf(line string) (f frame, ok bool) {
	text := strings.TrimRight(line, "\n")
	start := len(text) - len(strings.TrimLeft(text, " "))
	rest, ok := strings.CutPrefix(text[start:], "at ")
	if !ok || start == 0 {
		return f, false
	}
	where := strings.TrimSuffix(rest, ")")
	if len(where) < len(rest) {
		where = where[strings.LastIndexByte(where, '(')+1:]
	}
	file, row, column, ok := splitPlace(where)
	if !ok {
		return f, false
	}
	at := strings.LastIndex(line, where)
	f.before, f.after = line[:at], line[at+len(where):]
	f.place = place{file, sourcemap.Place{Line: row - 1, Column: column - 1}}
	f.unwrap()
	return f, true
}

// splitPlace splits "file:line:column".
func splitPlace(s string) (file string, line, column int, ok bool) {
	rest, text, _ := cutLast(s)
	column, err := strconv.Atoi(text)
	file, text, found := cutLast(rest)
	line, err2 := strconv.Atoi(text)
	return file, line, column, found && err == nil && err2 == nil && line > 0 && column > 0 && fs.ValidPath(file)
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// learn looks up the frames that are not known.
func (t *traces) learn(files fs.FS, frames map[int]frame) {
	if t.known == nil || len(t.known) > maxKnown || len(t.bare) > maxKnown {
		t.known, t.bare = map[place]sourcemap.Origin{}, map[string]bool{}
	}
	wanted := map[string][]sourcemap.Place{}
	for _, f := range frames {
		if _, known := t.known[f.place]; !known && !t.bare[f.file] {
			wanted[f.file] = append(wanted[f.file], f.Place)
		}
	}
	n := 0
	for file, places := range wanted {
		if n++; n > maxMaps {
			return
		}
		t.read(files, file, places)
	}
}

func (t *traces) read(files fs.FS, file string, places []sourcemap.Place) {
	m, err := openMap(files, file)
	if err != nil {
		t.bare[file] = true
		return
	}
	for i, o := range m.Find(places) {
		t.known[place{file, places[i]}] = o
	}
}

var errNoMap = errors.New("it has no source map")

// openMap reads the map that a file's last line names, or that lies beside it.
func openMap(files fs.FS, file string) (*sourcemap.Map, error) {
	url, err := mapURL(files, file)
	if err != nil {
		return nil, err
	}
	dir := path.Dir(file)
	if data, ok := strings.CutPrefix(url, "data:application/json"); ok {
		_, data, ok := strings.Cut(data, "base64,")
		if !ok {
			return nil, errNoMap
		}
		return sourcemap.Parse(base64.NewDecoder(base64.StdEncoding, strings.NewReader(data)), dir)
	}
	name := path.Join(dir, url)
	if !fs.ValidPath(name) {
		return nil, errNoMap
	}
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return sourcemap.Parse(io.LimitReader(f, sourcemap.MaxMap+1), path.Dir(name))
}

// mapURL is what the comment at a file's end says (ECMA-426, section 11.1.2), or
// the name by which bundlers keep maps beside their files.
func mapURL(files fs.FS, file string) (string, error) {
	b, err := fs.ReadFile(files, file)
	if err != nil {
		return "", err
	}
	const mark = "//# sourceMappingURL="
	text := strings.TrimRight(unsafe.String(unsafe.SliceData(b), len(b)), " \t\r\n")
	if i := strings.LastIndex(text, mark); i >= 0 && !strings.ContainsAny(text[i+len(mark):], " \t\r\n") {
		return text[i+len(mark):], nil
	}
	return path.Base(file) + ".map", nil
}
