package bundle

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

const minimal = `{
  "app_id": "com.example.app",
  "name": "App",
  "version": {"name": "1.0.0", "code": 3},
  "platform_version": {"min_code": 1},
  "icons": [{"src": "icon.svg"}],
  "pages": ["app"]
}`

const full = `{
  "dir": "ltr", "lang": "en-US",
  "app_id": "org.example.miniapp",
  "name": "MiniApp Demo", "short_name": "MiniApp",
  "version": {"name": "1.0.1", "code": 11},
  "description": "A demo\nin two lines",
  "icons": [{"label": "Red", "src": "./common/icons/icon.png", "sizes": "48x48 96X96"}],
  "platform_version": {"min_code": 1, "release_type": "Beta1", "target_code": 2},
  "pages": ["pages/index/index", "pages/detail/detail"],
  "window": {
    "auto_design_width": true, "background_color": "rgb(1 2 3 / 50%)", "background_text_style": "light",
    "design_width": 375, "enable_pull_down_refresh": true, "fullscreen": true,
    "navigation_bar_background_color": "#f8f8f8", "navigation_bar_text_style": "black",
    "navigation_bar_title_text": "My MiniApp", "navigation_style": "custom",
    "on_reach_bottom_distance": 100, "orientation": "landscape"
  },
  "widgets": [{"name": "w1", "path": "widgets/a/a", "min_code": "2"}, {"name": "w2", "path": "widgets/b/b"}],
  "req_permissions": [{"name": "system.permission.CAMERA", "reason": "To scan"}],
  "color_scheme": "light", "device_type": ["phone", "tv"],
  "theme_color": "ignored", "scope": 5, "unknown": [{}],
  "mpsupervisor": {
    "runtime": "js", "entry": "src/main.js",
    "limits": {
      "memory_soft": "24M", "memory": "32M", "pids": 20, "cpu": 0.5, "cpu_weight": 50, "io_rate": "1M", "io_weight": 10,
      "tmp_bytes": "4M", "tmp_files": 100, "files": 128, "call_timeout": "1500ms", "log_rate": 0, "ipc_rate": 50
    }
  }
}`

func ptr[T any](v T) *T { return &v }

func TestManifest(t *testing.T) {
	tests := []struct {
		name, text string
		want       Manifest
	}{
		{"minimal", minimal, Manifest{
			AppID: "com.example.app", Name: "App", Version: Version{"1.0.0", 3},
			PlatformVersion: PlatformVersion{MinCode: 1},
			Icons:           []Icon{{Src: "icon.svg"}}, Pages: []string{"app"},
			Dir: "auto", ColorScheme: "auto", Window: defaultWindow(), Vendor: Vendor{Runtime: "js", Entry: "app.js"},
		}},
		{"full", full, Manifest{
			AppID: "org.example.miniapp", Name: "MiniApp Demo", Version: Version{"1.0.1", 11},
			PlatformVersion: PlatformVersion{1, 2, "Beta1"},
			Icons:           []Icon{{"common/icons/icon.png", "48x48 96X96", "Red"}},
			Pages:           []string{"pages/index/index", "pages/detail/detail"},
			ShortName:       "MiniApp", Description: "A demo\nin two lines", Dir: "ltr", Lang: "en-US", ColorScheme: "light",
			DeviceType:  []string{"phone", "tv"},
			Permissions: []Permission{{"system.permission.CAMERA", "To scan"}},
			Widgets:     []Widget{{"w1", "widgets/a/a", 2}, {"w2", "widgets/b/b", 1}},
			Window: Window{true, "rgb(1 2 3 / 50%)", "light", 375, true, true,
				"#f8f8f8", "black", "My MiniApp", "custom", 100, "landscape"},
			Vendor: Vendor{Runtime: "js", Entry: "src/main.js", Limits: Limits{
				Memory: ptr[int64](32 << 20), MemorySoft: ptr[int64](24 << 20), Pids: ptr[int64](20),
				CPU: ptr(0.5), CPUWeight: ptr[int64](50), IORate: ptr[int64](1 << 20), IOWeight: ptr[int64](10),
				TmpBytes: ptr[int64](4 << 20), TmpFiles: ptr[int64](100), Files: ptr[int64](128),
				CallTimeout: ptr(1500 * time.Millisecond), LogRate: ptr(0), IPCRate: ptr(50)}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, c, err := parseManifest([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if len(c.warnings) > 0 {
				t.Errorf("warnings: %v", c.warnings)
			}
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", *got, tt.want)
			}
		})
	}
}

// with puts text in the place of the minimal manifest's member.
func with(member, text string) string {
	lines := strings.Split(minimal, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, `  "`+member+`"`) {
			comma := strings.HasSuffix(line, ",")
			lines[i] = text
			if comma && text != "" {
				lines[i] += ","
			}
			return strings.Join(lines, "\n")
		}
	}
	panic("no member " + member)
}

// plus adds members at the end of the minimal manifest, on line 8.
func plus(text string) string {
	return strings.TrimSuffix(minimal, "\n}") + ",\n" + text + "\n}"
}

// limits is the minimal manifest with limits, on line 8.
func limits(text string) string { return plus(`"mpsupervisor": {"limits": {` + text + `}}`) }

var badManifests = []struct {
	name, text string
	want       string // the whole error after "manifest.json"
}{
	// The text as a whole.
	{"empty", "", ": the manifest is empty"},
	{"white space", " \n\t", ": the manifest is empty"},
	{"not JSON", "hello", `:1: the manifest is not JSON: invalid character 'h' at start of value`},
	{"comment", "{\n// hi\n}", `:2: the manifest is not JSON: invalid character '/' at start of value`},
	{"trailing comma", "{\n\"a\": 1,\n}", `:2: the manifest is not JSON: invalid character ',' at start of value`},
	{"byte order mark", "\ufeff" + minimal, ":1: the manifest begins with a byte order mark: save it as UTF-8 without one"},
	{"UTF-16", "\xff\xfe{\x00}\x00", `:1: the manifest is not JSON: invalid character '\xff' at start of value`},
	{"invalid UTF-8", strings.Replace(minimal, "App", "A\xff", 1), `:3: the manifest is not JSON: invalid UTF-8`},
	{"half a surrogate pair", strings.Replace(minimal, "App", `\ud800`, 1), `:3: the manifest is not JSON: invalid surrogate pair "\\ud800\",\n  \"" in string`},
	{"raw NUL", strings.Replace(minimal, "App", "A\x00", 1), `:3: the manifest is not JSON: invalid character '\x00' in string (expecting non-control character)`},
	{"raw line break", strings.Replace(minimal, "App", "A\n", 1), `:3: the manifest is not JSON: invalid character '\n' in string (expecting non-control character)`},
	{"cut off", minimal[:80], ":4: the manifest is cut off: it ends inside a value"},
	{"cut off in a string", minimal[:15], ":2: the manifest is cut off: it ends inside a value"},
	{"cut off at the end", strings.TrimSuffix(minimal, "}"), ":8: the manifest is cut off: it ends inside a value"},
	{"garbage at the end", minimal + "\n\n x", ":10: the manifest has something after its end"},
	{"twice", minimal + minimal, ":8: the manifest has something after its end"},
	{"not an object", "[]", ":1: the manifest must be an object, not an array"},
	{"null", "\nnull", ":2: the manifest must be an object, not null"},
	{"duplicate", plus(`"name": "B"`), ":8: name is there twice"},
	{"duplicate inside", with("version", "\"version\": {\"code\": 1,\n\"name\": \"1\",\n\"code\": 2}"), ":6: version.code is there twice"},
	{"duplicate by escape", plus(`"na\u006de": "B"`), ":8: name is there twice"},
	{"duplicate unknown", plus("\"x\\u001b[2J\": 1,\n\"x\\u001b[2J\": 2"), `:9: "x\x1b[2J" is there twice`},
	{"nested 10,000 deep", strings.Repeat("[", 10000) + strings.Repeat("]", 10000), ":1: the manifest is nested more than 32 deep"},
	{"nested in an unknown member", plus(`"x": ` + strings.Repeat("[\n", 40) + strings.Repeat("]", 40)), ":39: the manifest is nested more than 32 deep"},
	{"10 MB", plus(`"x": "` + strings.Repeat("x", 10<<20) + `"`), fmt.Sprintf(": the manifest has %d bytes, at most 262144 are allowed", 10<<20+len(plus(`"x": ""`)))},

	// Required members.
	{"no app_id", with("app_id", ""), ":1: app_id is missing"},
	{"app_id number", with("app_id", `"app_id": 7`), ":2: app_id must be a string, not a number"},
	{"app_id empty", with("app_id", `"app_id": ""`), ":2: app_id must not be empty"},
	{"app_id with a space", with("app_id", `"app_id": "a b"`), `:2: app_id has a space in "a b"`},
	{"app_id with NUL", with("app_id", `"app_id": "a\u0000b"`), `:2: app_id has a control character in "a\x00b"`},
	{"app_id with escape", with("app_id", `"app_id": "a\u001b[2Jb"`), `:2: app_id has a control character in "a\x1b[2Jb"`},
	{"app_id long", with("app_id", `"app_id": "`+strings.Repeat("a", 256)+`"`), ":2: app_id has 256 bytes, at most 255 are allowed"},
	{"no name", with("name", ""), ":1: name is missing"},
	{"name null", with("name", `"name": null`), ":3: name must be a string, not null"},
	{"name blank", with("name", `"name": " "`), ":3: name must not be empty"},
	{"version string", with("version", `"version": "1.0.0"`), ":4: version must be an object, not a string"},
	{"version.code missing", with("version", "\n"+`"version": {"name": "1"}`), ":5: version.code is missing"},
	{"version.code string", with("version", "\"version\": {\"name\": \"1\",\n\"code\": \"1\"}"), ":5: version.code must be a number, not a string"},
	{"version.code fraction", with("version", `"version": {"name": "1", "code": 1.5}`), ":4: version.code must be a whole number, not 1.5"},
	{"version.code negative", with("version", `"version": {"name": "1", "code": -1}`), ":4: version.code must not be negative, and is -1"},
	{"version.code huge", with("version", `"version": {"name": "1", "code": 1e400}`), ":4: version.code is too large a number: 1e400"},
	{"version.code beyond 2^53", with("version", `"version": {"name": "1", "code": 9007199254740993}`), ":4: version.code is too large a number: 9007199254740993"},
	{"version.code of 1,000 digits", with("version", `"version": {"name": "1", "code": `+strings.Repeat("9", 1000)+`}`), ":4: version.code is too large a number: " + strings.Repeat("9", 40)},
	{"version.name missing", with("version", `"version": {"code": 1}`), ":4: version.name is missing"},
	{"platform_version missing", with("platform_version", ""), ":1: platform_version is missing"},
	{"min_code missing", with("platform_version", `"platform_version": {}`), ":5: platform_version.min_code is missing"},
	{"min_code boolean", with("platform_version", `"platform_version": {"min_code": true}`), ":5: platform_version.min_code must be a number, not a boolean"},
	{"icons object", with("icons", `"icons": {"src": "a"}`), ":6: icons must be an array, not an object"},
	{"icons empty", with("icons", `"icons": []`), ":6: icons must not be empty"},
	{"icon without src", with("icons", "\"icons\": [{\"src\": \"a\"},\n{\"label\": \"b\"}]"), ":7: icons[1].src is missing"},
	{"icon outside", with("icons", `"icons": [{"src": "../icon.png"}]`), `:6: icons[0].src cannot name a file: name "../icon.png" is not a path inside the package`},
	{"icon absolute", with("icons", `"icons": [{"src": "/etc/passwd"}]`), `:6: icons[0].src cannot name a file: name "/etc/passwd" is not a path inside the package`},
	{"icon elsewhere", with("icons", `"icons": [{"src": "https://example.com/i.png"}]`), `:6: icons[0].src cannot name a file: name "https://example.com/i.png" is not a path inside the package`},
	{"no pages", strings.Replace(minimal, ",\n  \"pages\": [\"app\"]", "", 1), ":1: pages is missing"},
	{"pages string", with("pages", `"pages": "app"`), ":7: pages must be an array, not a string"},
	{"pages empty", with("pages", `"pages": []`), ":7: pages must not be empty"},
	{"page number", with("pages", "\"pages\": [\"a\",\n2]"), ":8: pages[1] must be a string, not a number"},
	{"page outside", with("pages", `"pages": ["a/../../b"]`), `:7: pages[0] cannot name a file: name "a/../../b" is not a path inside the package`},
	{"page with NUL", with("pages", `"pages": ["a\u0000"]`), `:7: pages[0] cannot name a file: name "a\x00" has a control character`},
	{"page with a backslash", with("pages", `"pages": ["a\\b"]`), `:7: pages[0] cannot name a file: name "a\\b" has a backslash`},

	// Ours.
	{"vendor array", plus(`"mpsupervisor": []`), ":8: mpsupervisor must be an object, not an array"},
	{"vendor unknown", plus(`"mpsupervisor": {"limit": {}}`), ":8: mpsupervisor.limit is not known: mpsupervisor can have runtime, entry, native, limits"},
	{"runtime unknown", plus(`"mpsupervisor": {"runtime": "lua"}`), `:8: mpsupervisor.runtime "lua" is not known: known are "js", "native", "wasm"`},
	{"native with wasm", plus(`"mpsupervisor": {"runtime": "wasm", "native": {}}`), `:8: mpsupervisor.native is only for programs with the runtime "native"`},
	{"runtime null", plus(`"mpsupervisor": {"runtime": null}`), `:8: mpsupervisor.runtime must be a string, not null`},
	{"entry outside", plus(`"mpsupervisor": {"entry": "../app.js"}`), `:8: mpsupervisor.entry cannot name a file: name "../app.js" is not a path inside the package`},
	{"entry absolute", plus(`"mpsupervisor": {"entry": "/app.js"}`), `:8: mpsupervisor.entry cannot name a file: name "/app.js" is not a path inside the package`},
	{"limit misspelt", limits(`"memroy": "64M"`), ":8: mpsupervisor.limits.memroy is not known: mpsupervisor.limits can have memory, memory_soft, pids, cpu, cpu_weight, io_rate, io_weight, tmp_bytes, tmp_files, files, call_timeout, log_rate, ipc_rate"},
	{"memory word", limits(`"memory": "lots"`), `:8: mpsupervisor.limits.memory must be a size such as "64M" or a number of bytes, not "lots"`},
	{"memory infinite", limits(`"memory": "inf"`), `:8: mpsupervisor.limits.memory must be a size such as "64M" or a number of bytes, not "inf"`},
	{"memory hexadecimal", limits(`"memory": "0x4p6M"`), `:8: mpsupervisor.limits.memory must be a size such as "64M" or a number of bytes, not "0x4p6M"`},
	{"memory negative", limits(`"memory": "-64M"`), `:8: mpsupervisor.limits.memory must be a size such as "64M" or a number of bytes, not "-64M"`},
	{"memory without unit", limits(`"memory": "67108864"`), `:8: mpsupervisor.limits.memory must be a size such as "64M" or a number of bytes, not "67108864"`},
	{"memory list", limits(`"memory": ["64M"]`), `:8: mpsupervisor.limits.memory must be a size such as "64M" or a number of bytes, not an array`},
	{"memory small", limits(`"memory": "1M"`), `:8: mpsupervisor.limits.memory is out of bounds: memory limit 1048576 is not between 16777216 and 4294967296 bytes`},
	{"memory large", limits(`"memory": "999999999G"`), `:8: mpsupervisor.limits.memory is out of bounds: memory limit 1073741822926258176 is not between 16777216 and 4294967296 bytes`},
	{"memory huge number", limits(`"memory": 1e300`), `:8: mpsupervisor.limits.memory is too large a number: 1e300`},
	{"pids many", limits(`"pids": 1000000`), `:8: mpsupervisor.limits.pids is out of bounds: pids limit 1000000 is not between 16 and 4096`},
	{"pids string", limits(`"pids": "20"`), `:8: mpsupervisor.limits.pids must be a number, not a string`},
	{"cpu zero", limits(`"cpu": 0`), `:8: mpsupervisor.limits.cpu is out of bounds: cpu limit 0 is not between 0.05 and 64 processors`},
	{"cpu huge", limits(`"cpu": 1e999`), `:8: mpsupervisor.limits.cpu is too large a number: 1e999`},
	{"cpu string", limits(`"cpu": "1"`), `:8: mpsupervisor.limits.cpu must be a number, not a string`},
	{"timeout number", limits(`"call_timeout": 5`), `:8: mpsupervisor.limits.call_timeout must be a string with a unit, such as "5s" or "500ms", not a number`},
	{"timeout without unit", limits(`"call_timeout": "5"`), `:8: mpsupervisor.limits.call_timeout must have a unit, such as "5s" or "500ms", not "5"`},
	{"timeout negative", limits(`"call_timeout": "-5s"`), `:8: mpsupervisor.limits.call_timeout is out of bounds: call timeout -5s is not between 10ms and 1h0m0s`},
	{"log rate huge", limits(`"log_rate": 9007199254740991`), `:8: mpsupervisor.limits.log_rate is out of bounds: log rate 1073741824 is not between 0 and 10000 lines a second`},
	{"soft above hard", limits(`"memory": "32M", "memory_soft": "33M"`), ":8: mpsupervisor.limits.memory_soft is out of bounds: soft memory limit 34603008 is neither 0 nor between 16777216 bytes and the hard limit of 33554432"},
	{"cpu weight zero", limits(`"cpu_weight": 0`), ":8: mpsupervisor.limits.cpu_weight is out of bounds: cpu weight 0 is not between 1 and 10000"},
	{"io rate small", limits(`"io_rate": "1K"`), ":8: mpsupervisor.limits.io_rate is out of bounds: io rate 1024 is neither 0 nor between 65536 and 1099511627776 bytes a second"},
	{"io weight large", limits(`"io_weight": 10001`), ":8: mpsupervisor.limits.io_weight is out of bounds: io weight 10001 is not between 0 and 10000"},
	{"tmp small", limits(`"tmp_bytes": "1K"`), ":8: mpsupervisor.limits.tmp_bytes is out of bounds: size of /tmp 1024 is not between 65536 and 4294967296 bytes"},
	{"tmp files", limits(`"tmp_files": "many"`), ":8: mpsupervisor.limits.tmp_files must be a number, not a string"},
	{"files few", limits(`"files": 3`), ":8: mpsupervisor.limits.files is out of bounds: limit of open files 3 is not between 64 and 65536"},
	{"ipc rate zero", limits(`"ipc_rate": 0`), ":8: mpsupervisor.limits.ipc_rate is out of bounds: ipc rate 0 is not between 1 and 100000 requests a second"},
	{"ipc rate huge", limits(`"ipc_rate": 9007199254740991`), ":8: mpsupervisor.limits.ipc_rate is out of bounds: ipc rate 1073741824 is not between 1 and 100000 requests a second"},
	{"log rate negative", limits(`"log_rate": -1`), `:8: mpsupervisor.limits.log_rate must not be negative, and is -1`},
}

func TestBadManifest(t *testing.T) {
	for _, tt := range badManifests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := parseManifest([]byte(tt.text))
			if err == nil || err.Error() != "manifest.json"+tt.want {
				t.Errorf("got  %v\nwant manifest.json%s", err, tt.want)
			}
			if !errors.Is(err, mp.ErrBadPackage) {
				t.Errorf("%v is not an mp.ErrBadPackage", err)
			}
			if large := len(tt.text) > MaxManifest; errors.Is(err, mp.ErrTooLarge) != large {
				t.Errorf("%v: mp.ErrTooLarge should be %v", err, large)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		name, text string
		want       string
	}{
		{"short_name", `"short_name": 1`, ":8: short_name must be a string, not a number"},
		{"description", `"description": "a\u001b[2J"`, `:8: description has a control character in "a\x1b[2J"`},
		{"dir", `"dir": "up"`, `:8: dir must be one of "ltr", "rtl", "auto", not "up"`},
		{"lang", `"lang": "en_US"`, `:8: lang must be a language tag such as "en" or "zh-Hans-CN", not "en_US"`},
		{"color_scheme", `"color_scheme": true`, ":8: color_scheme must be a string, not a boolean"},
		{"device_type", `"device_type": ["tv", 4]`, ":8: device_type[1] must be a string, not a number"},
		{"permission", `"req_permissions": [{"name": ""}, {"name": "CAMERA"}]`, ":8: req_permissions[0].name must not be empty"},
		{"permission reason", `"req_permissions": [{"name": "CAMERA", "reason": 5}]`, ":8: req_permissions[0].reason must be a string, not a number"},
		{"permissions", `"req_permissions": {}`, ":8: req_permissions must be an array, not an object"},
		{"widget", "\"widgets\": [\n{\"name\": \"a\"}]", ":9: widgets[0].path is missing"},
		{"widget outside", `"widgets": [{"name": "a", "path": "../a"}]`, `:8: widgets[0].path cannot name a file: name "../a" is not a path inside the package`},
		{"widget min_code", `"widgets": [{"name": "a", "path": "a", "min_code": "two"}]`, `:8: widgets[0].min_code must be a number, not a string`},
		{"window", `"window": "large"`, ":8: window must be an object, not a string"},
		{"orientation", "\"window\": {\"fullscreen\": true,\n\"orientation\": \"up\"}", `:9: window.orientation must be one of "portrait", "landscape", not "up"`},
		{"fullscreen", `"window": {"fullscreen": "true"}`, ":8: window.fullscreen must be a boolean, not a string"},
		{"color", `"window": {"background_color": "#12"}`, `:8: window.background_color must be a CSS color such as "#f8f8f8", not "#12"`},
		{"design_width", `"window": {"design_width": -1}`, ":8: window.design_width must not be negative, and is -1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, c, err := parseManifest([]byte(plus(tt.text)))
			if err != nil {
				t.Fatal(err)
			}
			if len(c.warnings) != 1 || c.warnings[0].String() != "manifest.json"+tt.want {
				t.Errorf("got  %v\nwant manifest.json%s", c.warnings, tt.want)
			}
		})
	}
}

// A bad optional member is as if it were absent, and leaves the good ones.
func TestBadOptionalMemberIsAbsent(t *testing.T) {
	m, c, err := parseManifest([]byte(plus(`
		"window": {"orientation": 5, "fullscreen": true, "design_width": "x"},
		"device_type": ["tv", null],
		"req_permissions": [{"name": "A"}, "B", {"name": "C", "reason": {}}],
		"dir": []`)))
	if err != nil {
		t.Fatal(err)
	}
	window := defaultWindow()
	window.Fullscreen = true
	if m.Window != window || m.DeviceType != nil || m.Dir != "auto" {
		t.Errorf("window %+v, device types %q, dir %q", m.Window, m.DeviceType, m.Dir)
	}
	if want := []Permission{{"A", ""}, {"C", ""}}; !reflect.DeepEqual(m.Permissions, want) {
		t.Errorf("permissions %v, want %v", m.Permissions, want)
	}
	if len(c.sorted()) != 6 {
		t.Errorf("warnings: %v", c.warnings)
	}
	for i, w := range c.warnings {
		if i > 0 && w.Line < c.warnings[i-1].Line {
			t.Errorf("warnings out of order: %v", c.warnings)
		}
	}
}

func TestLimitsOver(t *testing.T) {
	base := mp.DefaultLimits()
	if got := (Limits{}).Over(base); got != base {
		t.Errorf("nothing asked for: %+v", got)
	}
	want := mp.Limits{Memory: 2, MemorySoft: 1, Pids: 3, CPU: 4, CPUWeight: 5, IORate: 6, IOWeight: 7,
		TmpBytes: 8, TmpFiles: 9, Files: 10, CallTimeout: 11, LogRate: 0, IPCRate: 12}
	got := Limits{Memory: ptr[int64](2), MemorySoft: ptr[int64](1), Pids: ptr[int64](3), CPU: ptr(4.0), CPUWeight: ptr[int64](5),
		IORate: ptr[int64](6), IOWeight: ptr[int64](7), TmpBytes: ptr[int64](8), TmpFiles: ptr[int64](9), Files: ptr[int64](10),
		CallTimeout: ptr(time.Duration(11)), LogRate: ptr(0), IPCRate: ptr(12)}.Over(base)
	if got != want {
		t.Errorf("everything asked for: %+v", got)
	}
	base.MemorySoft = 1 << 20
	if got := (Limits{Memory: ptr[int64](1 << 19)}).Over(base); got.MemorySoft != 1<<19 {
		t.Errorf("the host's soft limit above the program's hard one: %+v", got)
	}
}

func TestMemorySizes(t *testing.T) {
	for text, want := range map[string]int64{
		`"64M"`: 64 << 20, `"64m"`: 64 << 20, `"64MiB"`: 64 << 20, `"64 MB"`: 64 << 20,
		`"32768k"`: 32 << 20, `"1.5G"`: 3 << 29, `67108864`: 64 << 20, `6.4e7`: 64000000,
	} {
		m, _, err := parseManifest([]byte(plus(`"mpsupervisor": {"limits": {"memory": ` + text + `}}`)))
		if err != nil || *m.Vendor.Limits.Memory != want {
			t.Errorf("%s: %v, want %d", text, err, want)
		}
	}
}

// FuzzManifest holds against any bytes: what is accepted keeps every promise
// that the types make, and what is refused says so in one printable line.
func FuzzManifest(f *testing.F) {
	for _, text := range []string{minimal, full, "", "{", "[[[", plus(`"window": {"orientation": 5}`), minimal[:100], nativeManifest,
		native(`, "entry": "root/x", "native": {"args": ["a"], "env": {"A": "b"}, "syscalls": ["read"]}`)} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, c, err := parseManifest(text)
		if err != nil {
			checkLine(t, err.Error())
			return
		}
		for _, w := range c.sorted() {
			checkLine(t, w.String())
			if w.Line < 1 || w.Line > 1+strings.Count(string(text), "\n") {
				t.Errorf("%v is not in the text", w)
			}
		}
		if m.AppID == "" || m.Name == "" || m.Version.Name == "" || m.Version.Code < 1 || len(m.Pages) == 0 || len(m.Icons) == 0 {
			t.Errorf("a required member is empty: %+v", m)
		}
		if err := m.Vendor.Limits.check(); err != nil {
			t.Error(err)
		}
		if (m.Vendor.Native != nil) != (m.Vendor.Runtime == RuntimeNative) {
			t.Errorf("runtime %q with %+v", m.Vendor.Runtime, m.Vendor.Native)
		}
	})
}

func checkLine(t *testing.T, line string) {
	t.Helper()
	if len(line) > 1000 || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		t.Errorf("not one short line: %q", line)
	}
}

// A program of WebAssembly begins with app.wasm, or what it names.
func TestWasmEntry(t *testing.T) {
	for text, want := range map[string]string{
		`{"runtime": "wasm"}`:                           "app.wasm",
		`{"runtime": "wasm", "entry": "bin/tool.wasm"}`: "bin/tool.wasm",
		`{"runtime": "js"}`:                             "app.js",
	} {
		m, _, err := parseManifest([]byte(plus(`"mpsupervisor": ` + text)))
		if err != nil || m.Vendor.Entry != want {
			t.Errorf("%s: %v, %v, want %s", text, m, err, want)
		}
	}
}
