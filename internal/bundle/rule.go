package bundle

import (
	"fmt"
	"slices"
	"strings"
)

// rule is one member of an object: what it is called and how it is read. A
// table of them describes an object.
type rule struct {
	name string
	need need
	read reader
}

// reader checks the value at path and keeps it. Its error is a *ManifestError.
type reader func(c *checker, path string, v *value) error

// need says what becomes of an object whose member is absent or bad.
type need int

const (
	optional need = iota // absent: fine; bad: a warning, and as if absent
	checked              // absent: fine; bad: an error
	required             // absent or bad: an error
)

// fields reads an object by its rules, in their order. Members without a rule
// are ignored.
func fields(c *checker, path string, v *value, rules []rule) error {
	if v.kind != isObject {
		return wrongType(path, v, isObject)
	}
	for _, r := range rules {
		m, ok := v.member(r.name)
		if !ok {
			if r.need == required {
				return fault(join(path, r.name), v.line, "is missing")
			}
			continue
		}
		err := r.read(c, join(path, r.name), m)
		switch {
		case err == nil:
		case r.need == optional:
			c.warn(err)
		default:
			return err
		}
	}
	return nil
}

// onlyKnown refuses an object that has a member without a rule.
func onlyKnown(path string, v *value, rules []rule) error {
	for _, m := range v.members {
		if !slices.ContainsFunc(rules, func(r rule) bool { return r.name == m.name }) {
			return fault(join(path, m.name), m.line, "is not known: %s can have %s", path, names(rules))
		}
	}
	return nil
}

func names(rules []rule) string {
	list := make([]string, len(rules))
	for i, r := range rules {
		list[i] = r.name
	}
	return strings.Join(list, ", ")
}

// fault is an error about the member at path.
func fault(path string, line int, format string, args ...any) error {
	return &ManifestError{Member: path, Line: line, Message: fmt.Sprintf(format, args...)}
}

func wrongType(path string, v *value, want kind) error {
	return fault(path, v.line, "must be %s, not %s", want, v.kind)
}

// each reads an array, one item after the other. An item's error is the
// array's; a reader that wants to skip an item warns by itself.
func each(read reader) reader {
	return func(c *checker, path string, v *value) error {
		if v.kind != isArray {
			return wrongType(path, v, isArray)
		}
		for i, item := range v.list {
			if err := read(c, fmt.Sprintf("%s[%d]", path, i), item); err != nil {
				return err
			}
		}
		return nil
	}
}

// nonEmpty reads an array that must have something in it.
func nonEmpty(read reader) reader {
	return func(c *checker, path string, v *value) error {
		if v.kind == isArray && len(v.list) == 0 {
			return fault(path, v.line, "must not be empty")
		}
		return read(c, path, v)
	}
}

// skipping turns an item's error into a warning, and the item is left out.
func skipping(read reader) reader {
	return func(c *checker, path string, v *value) error {
		if err := read(c, path, v); err != nil {
			c.warn(err)
		}
		return nil
	}
}
