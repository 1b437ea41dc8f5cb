package archive

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What can be wrong with where a symbolic link leads. Each is a predicate.
var (
	errLeaves = errors.New("leaves " + Root + "/")
	errHops   = fmt.Errorf("leads through more than %d symbolic links", maxHops)
	errFar    = fmt.Errorf("leads to a name of more than %d bytes", MaxName)
)

// links tells where the symbolic links of a package lead. Names in it are those
// that a program sees in its root directory, without the "/" at their begin.
//
// Each link is followed once, in the way of path_resolution(7), and its end is
// kept: a package cannot make that take longer than its size allows.
type links struct {
	targets map[string]string
	ends    map[string]place
}

// place is where a link leads, and through how many links, itself included.
type place struct {
	name string // "" is root/ itself
	hops int
}

// followAll follows each of the symbolic links among entries, whose targets are
// given by name, and fails at the first that leads out of root/.
func followAll(entries []entry, targets map[string]string) (*links, error) {
	l := &links{targets: make(map[string]string, len(targets)), ends: make(map[string]place, len(targets))}
	for name, target := range targets {
		if err := checkTarget(target); err != nil {
			return nil, errLink(name, target, err)
		}
		l.targets[inRoot(name)] = target
	}
	for _, e := range entries {
		if e.kind != Link {
			continue
		}
		if _, err := l.follow(inRoot(e.name), 0); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func inRoot(name string) string { return strings.TrimPrefix(name, Root+"/") }

func checkTarget(target string) error {
	switch {
	case !utf8.ValidString(target):
		return errors.New("is not UTF-8")
	case strings.ContainsFunc(target, unicode.IsControl):
		return errors.New("has a control character")
	case strings.Contains(target, `\`):
		return errors.New("has a backslash")
	}
	return nil
}

func errLink(name, target string, why error) error {
	return fmt.Errorf("%s is a symbolic link to %.200q, which %w: make it lead to something inside %s/, or leave it out", name, target, why, Root)
}

// follow returns where the link of that name leads, which others led to before.
func (l *links) follow(name string, before int) (place, error) {
	if e, ok := l.ends[name]; ok {
		return e, nil
	}
	target := l.targets[name]
	e, err := place{}, errHops
	if before < maxHops {
		e, err = l.walk(dirOf(name), target, before+1)
	}
	if named := (*linkError)(nil); errors.As(err, &named) {
		return place{}, err
	}
	if e.hops++; err == nil && e.hops > maxHops {
		err = errHops
	}
	if err != nil {
		return place{}, &linkError{errLink(Root+"/"+name, target, err)}
	}
	l.ends[name] = e
	return e, nil
}

// linkError names the link that is to blame.
type linkError struct{ error }

func (e *linkError) Unwrap() error { return e.error }

// walk goes from the directory at along target, step by step.
func (l *links) walk(at, target string, before int) (place, error) {
	if strings.HasPrefix(target, "/") {
		at = ""
	}
	e := place{name: at}
	for step := range strings.SplitSeq(target, "/") {
		if err := l.step(&e, step, before); err != nil {
			return place{}, err
		}
	}
	return e, nil
}

func (l *links) step(e *place, step string, before int) error {
	switch step {
	case "", ".":
		return nil
	case "..":
		if e.name == "" {
			return errLeaves
		}
		e.name = dirOf(e.name)
		return nil
	}
	e.name = path.Join(e.name, step)
	if len(e.name) > MaxName {
		return errFar
	}
	if _, ok := l.targets[e.name]; !ok {
		return nil
	}
	to, err := l.follow(e.name, before)
	e.name, e.hops = to.name, e.hops+to.hops
	return err
}

// resolve gives the name in the package that name leads to.
func (l *links) resolve(name string) (string, error) {
	if !BelowRoot(name) {
		return name, nil
	}
	e, err := l.walk("", inRoot(name), 0)
	if err != nil {
		return "", err
	}
	return path.Join(Root, e.name), nil
}

// dirOf is the directory that name is in; "" is root/ itself.
func dirOf(name string) string {
	return name[:max(strings.LastIndexByte(name, '/'), 0)]
}
