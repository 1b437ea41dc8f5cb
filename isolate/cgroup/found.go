package cgroup

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
)

// Place is a Parent in a form that can be written down.
type Place struct {
	Base  map[string]string `json:"base"`  // hierarchy → the directory it begins from
	Below string            `json:"below"` // the path below each of them
}

// Place gives p in a form that can be written down, for Found.
func (p *Parent) Place() Place { return Place{Base: maps.Clone(p.base), Below: p.below} }

// Found gives the Parent that another process noted before it died. Only
// removing is sensible there: this process may be in other groups itself.
func Found(place Place) (*Parent, error) {
	l, err := detect()
	if err != nil {
		return nil, err
	}
	for h, dir := range place.Base {
		top := l.top
		if h != "" {
			top = filepath.Join(l.root, h)
		}
		if top == "" || dir != filepath.Clean(dir) || !strings.HasPrefix(dir+"/", top+"/") {
			return nil, fmt.Errorf("%s is not a control group of hierarchy %q", dir, h)
		}
	}
	if place.Below == "" || place.Below != clean(place.Below) {
		return nil, fmt.Errorf("%q is not a place for control groups", place.Below)
	}
	return &Parent{l: l, base: maps.Clone(place.Base), below: place.Below}, nil
}
