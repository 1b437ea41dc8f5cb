package native

import (
	"slices"
	"strconv"
	"strings"
)

// hostFD is the program's descriptor of its end of the bridge.
const hostFD = 3

// defaultPath is where programs are looked up that are named without a slash.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environment gives what every program finds in its environment, with the
// caller's variables over it. Of variables of one name the last is kept.
func environment(appID string, own []string) []string {
	env := []string{
		"PATH=" + defaultPath,
		"HOME=/tmp", // the one place where it can write
		"MP_HOST_FD=" + strconv.Itoa(hostFD),
		"MP_APP_ID=" + appID,
	}
	for _, v := range own {
		env = set(env, v)
	}
	return env
}

func set(env []string, variable string) []string {
	name, _, _ := strings.Cut(variable, "=")
	i := slices.IndexFunc(env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	if i < 0 {
		return append(env, variable)
	}
	env[i] = variable
	return env
}

// lookup is the value of a variable, or "".
func lookup(env []string, name string) string {
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}
