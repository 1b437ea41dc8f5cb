package bundle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

// Manifest is what manifest.json says, checked: required members are there, and
// optional ones that were bad or absent have the specification's defaults.
type Manifest struct {
	AppID           mp.AppID
	Name            string
	Version         Version
	PlatformVersion PlatformVersion
	Icons           []Icon   // at least one
	Pages           []string // routes; the first is the home page

	ShortName   string
	Description string
	Dir         string // "ltr", "rtl", "auto"
	Lang        string // a language tag, "" when not said
	ColorScheme string // "auto", "light", "dark"
	DeviceType  []string
	Permissions []Permission
	Widgets     []Widget
	Window      Window

	Vendor Vendor // the member "mpsupervisor"
}

// Version is the program's own.
type Version struct {
	Name string // for people
	Code int64  // grows with each release; at least 1
}

// PlatformVersion is what the program asks of its host.
type PlatformVersion struct {
	MinCode     int64
	TargetCode  int64  // 0 when not said
	ReleaseType string // "Beta1", "Release", …
}

// Icon is an image in the package.
type Icon struct{ Src, Sizes, Label string }

// Permission is a feature of the system that the program wants. Nothing is
// granted by it.
type Permission struct{ Name, Reason string }

// Widget is a small view that a host can show outside the program's pages.
type Widget struct {
	Name, Path string
	MinCode    int64 // platform version
}

// Window is how the program's frame should look.
type Window struct {
	AutoDesignWidth              bool
	BackgroundColor              string // the form of a CSS color; whether a color has that name is not checked
	BackgroundTextStyle          string // "light", "dark"
	DesignWidth                  int64  // pixels
	EnablePullDownRefresh        bool
	Fullscreen                   bool
	NavigationBarBackgroundColor string
	NavigationBarTextStyle       string // "white", "black"
	NavigationBarTitleText       string
	NavigationStyle              string // "default", "custom"
	OnReachBottomDistance        int64  // pixels
	Orientation                  string // "portrait", "landscape"
}

// Warning is a bad optional member that was ignored, or a file that the
// manifest names and the package does not have.
type Warning struct {
	Member  string // its path, such as "window.orientation" or "icons[1].sizes"
	Line    int    // in manifest.json, from 1
	Message string // a predicate: "must be a boolean, not a string"
}

func (w Warning) String() string { return place(w.Member, w.Line, w.Message) }

// ManifestError is why a manifest cannot be used. It is an mp.ErrBadPackage.
type ManifestError struct {
	Member  string // its path, such as "version.code"; "" for the manifest itself
	Line    int    // 0 when no line is to blame
	Message string // a predicate: "is missing"
	cause   error  // mp.ErrTooLarge, or nil
}

func (e *ManifestError) Error() string { return place(e.Member, e.Line, e.Message) }

// Unwrap gives mp.ErrBadPackage, and mp.ErrTooLarge when that is the reason.
func (e *ManifestError) Unwrap() []error {
	if e.cause == nil {
		return []error{mp.ErrBadPackage}
	}
	return []error{mp.ErrBadPackage, e.cause}
}

// place writes "manifest.json:7: version.code is missing".
func place(member string, line int, message string) string {
	var b strings.Builder
	b.WriteString(manifestName)
	if line > 0 {
		fmt.Fprintf(&b, ":%d", line)
	}
	b.WriteString(": ")
	if member == "" {
		member = "the manifest"
	}
	return b.String() + member + " " + message
}

func tooLarge(size int64) error {
	return &ManifestError{
		Message: fmt.Sprintf("has %d bytes, at most %d are allowed", size, MaxManifest),
		cause:   mp.ErrTooLarge,
	}
}

// parseManifest reads and checks a manifest, as far as that can be done without
// the package's other files.
func parseManifest(text []byte) (*Manifest, *checker, error) {
	root, err := parseJSON(text)
	if err != nil {
		return nil, nil, err
	}
	c := new(checker)
	m, err := readManifest(c, root)
	if err != nil {
		return nil, nil, err
	}
	return m, c, nil
}

// checker collects what is worth saying about a manifest that is usable.
type checker struct {
	warnings []Warning
	named    []namedFile
}

// namedFile is a file that the manifest says is in the package.
type namedFile struct {
	member string
	line   int
	path   string
	route  bool // a page: its extension may be left out
}

func (c *checker) warn(err error) {
	e := err.(*ManifestError) // rules make no other
	c.warnings = append(c.warnings, Warning{Member: e.Member, Line: e.Line, Message: e.Message})
}

// sorted gives the warnings in the order of their lines.
func (c *checker) sorted() []Warning {
	slices.SortStableFunc(c.warnings, func(a, b Warning) int { return a.Line - b.Line })
	return c.warnings
}
