package bundle

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
)

// The lengths of texts, in bytes.
const (
	maxText     = 255
	maxLongText = 4096
)

// text reads a string of one line that is not empty.
func text(dst *string) reader {
	return func(_ *checker, path string, v *value) error {
		return readText(dst, path, v, maxText, unicode.IsControl)
	}
}

// longText reads a string that may have line breaks and tabs.
func longText(dst *string) reader {
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	return func(_ *checker, path string, v *value) error {
		return readText(dst, path, v, maxLongText, control)
	}
}

func readText(dst *string, path string, v *value, most int, control func(rune) bool) error {
	switch {
	case v.kind != isString:
		return wrongType(path, v, isString)
	case strings.TrimSpace(v.text) == "":
		return fault(path, v.line, "must not be empty")
	case len(v.text) > most:
		return fault(path, v.line, "has %d bytes, at most %d are allowed", len(v.text), most)
	case strings.ContainsFunc(v.text, control):
		return fault(path, v.line, "has a control character in %.80q", v.text)
	}
	*dst = v.text
	return nil
}

// word reads a text without white space.
func word[T ~string](dst *T) reader {
	return func(c *checker, path string, v *value) error {
		var s string
		if err := text(&s)(c, path, v); err != nil {
			return err
		}
		if strings.ContainsFunc(s, unicode.IsSpace) {
			return fault(path, v.line, "has a space in %.80q", s)
		}
		*dst = T(s)
		return nil
	}
}

// oneOf reads one of the given strings.
func oneOf(dst *string, allowed ...string) reader {
	return func(_ *checker, path string, v *value) error {
		if v.kind != isString {
			return wrongType(path, v, isString)
		}
		if !slices.Contains(allowed, v.text) {
			return fault(path, v.line, "must be one of %s, not %.80q", quotedList(allowed), v.text)
		}
		*dst = v.text
		return nil
	}
}

func quotedList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = strconv.Quote(s)
	}
	return strings.Join(quoted, ", ")
}

// form compiles a regular expression when it is first needed: a command that
// only packs needs none.
func form(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// matching reads a text of a form, which is told in words.
func matching(dst *string, form func() *regexp.Regexp, words string) reader {
	return func(c *checker, path string, v *value) error {
		var s string
		if err := text(&s)(c, path, v); err != nil {
			return err
		}
		if !form().MatchString(s) {
			return fault(path, v.line, "must be %s, not %.80q", words, s)
		}
		*dst = s
		return nil
	}
}

func boolean(dst *bool) reader {
	return func(_ *checker, path string, v *value) error {
		if v.kind != isBoolean {
			return wrongType(path, v, isBoolean)
		}
		*dst = v.flag
		return nil
	}
}

// whole reads an integer that is not negative and that JavaScript can hold.
func whole(dst *int64) reader {
	return func(_ *checker, path string, v *value) error {
		if v.kind != isNumber {
			return wrongType(path, v, isNumber)
		}
		f, err := strconv.ParseFloat(v.text, 64) // 1e2 is an integer in JSON
		switch {
		case err != nil || math.Abs(f) > 1<<53-1:
			return fault(path, v.line, "is too large a number: %.40s", v.text)
		case f != math.Trunc(f):
			return fault(path, v.line, "must be a whole number, not %.40s", v.text)
		case f < 0:
			return fault(path, v.line, "must not be negative, and is %.40s", v.text)
		}
		*dst = int64(f)
		return nil
	}
}

// filePath reads the name of a file in the package. A leading "./" is allowed.
func filePath(dst *string) reader {
	return func(_ *checker, path string, v *value) error {
		if v.kind != isString {
			return wrongType(path, v, isString)
		}
		name := strings.TrimPrefix(v.text, "./")
		if err := archive.CheckName(name); err != nil {
			return fault(path, v.line, "cannot name a file: %v", err)
		}
		*dst = name
		return nil
	}
}

// existing reads the name of a file that should be in the package.
func existing(dst *string, route bool) reader {
	return func(c *checker, path string, v *value) error {
		if err := filePath(dst)(c, path, v); err != nil {
			return err
		}
		c.named = append(c.named, namedFile{member: path, line: v.line, path: *dst, route: route})
		return nil
	}
}
