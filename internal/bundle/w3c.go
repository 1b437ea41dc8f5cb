package bundle

import (
	"strconv"
)

// readManifest reads the members of the W3C MiniApp Manifest, each by the rule
// of its section there. The specification leaves unsaid how large a value may
// be and what a path may hold; the readers in reader.go decide that.
func readManifest(c *checker, root *value) (*Manifest, error) {
	if root.kind != isObject {
		return nil, fault("", root.line, "must be an object, not %s", root.kind)
	}
	m := &Manifest{Dir: "auto", ColorScheme: "auto", Window: defaultWindow(), Vendor: defaultVendor()}
	err := fields(c, "", root, []rule{
		{"app_id", required, word(&m.AppID)},
		{"name", required, text(&m.Name)},
		{"version", required, m.Version.read},
		{"platform_version", required, m.PlatformVersion.read},
		{"icons", required, nonEmpty(each(m.readIcon))},
		{"pages", required, nonEmpty(each(m.readPage))},

		{"short_name", optional, text(&m.ShortName)},
		{"description", optional, longText(&m.Description)},
		{"dir", optional, oneOf(&m.Dir, "ltr", "rtl", "auto")},
		{"lang", optional, matching(&m.Lang, languageTag, "a language tag such as \"en\" or \"zh-Hans-CN\"")},
		{"color_scheme", optional, oneOf(&m.ColorScheme, "auto", "light", "dark")},
		{"device_type", optional, m.readDeviceTypes},
		{"req_permissions", optional, each(skipping(m.readPermission))},
		{"widgets", optional, each(skipping(m.readWidget))},
		{"window", optional, m.Window.read},

		{vendorName, checked, m.Vendor.read},
	})
	return m, err
}

var (
	// The form of RFC 5646 section 2.1, without its registry.
	languageTag = form(`^([A-Za-z]{2,8}|[xXiI])(-[A-Za-z0-9]{1,8})*$`)
	// The forms of CSS Color 4: hexadecimal, a name, a function.
	color     = form(`^(#([0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})|[A-Za-z]+|[A-Za-z]+\([-0-9A-Za-z.,%/ +]+\))$`)
	iconSizes = form(`^(any|[1-9][0-9]{0,4}[xX][1-9][0-9]{0,4})( (any|[1-9][0-9]{0,4}[xX][1-9][0-9]{0,4}))*$`)
)

func (m *Version) read(c *checker, path string, v *value) error {
	if err := fields(c, path, v, []rule{
		{"name", required, text(&m.Name)},
		{"code", required, whole(&m.Code)},
	}); err != nil {
		return err
	}
	m.Code = max(m.Code, 1) // as "process the version's code member" has it
	return nil
}

func (m *PlatformVersion) read(c *checker, path string, v *value) error {
	return fields(c, path, v, []rule{
		{"min_code", required, whole(&m.MinCode)},
		{"target_code", optional, whole(&m.TargetCode)},
		{"release_type", optional, text(&m.ReleaseType)},
	})
}

func (m *Manifest) readIcon(c *checker, path string, v *value) error {
	var icon Icon
	err := fields(c, path, v, []rule{
		{"src", required, existing(&icon.Src, false)},
		{"sizes", optional, matching(&icon.Sizes, iconSizes, "sizes such as \"48x48 96x96\" or \"any\"")},
		{"label", optional, text(&icon.Label)},
	})
	if err == nil {
		m.Icons = append(m.Icons, icon)
	}
	return err
}

func (m *Manifest) readPage(c *checker, path string, v *value) error {
	var page string
	if err := existing(&page, true)(c, path, v); err != nil {
		return err
	}
	m.Pages = append(m.Pages, page)
	return nil
}

// readDeviceTypes keeps all types or, when one of them is bad, none.
func (m *Manifest) readDeviceTypes(c *checker, path string, v *value) error {
	var types []string
	err := each(func(c *checker, path string, v *value) error {
		var device string
		if err := text(&device)(c, path, v); err != nil {
			return err
		}
		types = append(types, device)
		return nil
	})(c, path, v)
	if err == nil {
		m.DeviceType = types
	}
	return err
}

func (m *Manifest) readPermission(c *checker, path string, v *value) error {
	var p Permission
	err := fields(c, path, v, []rule{
		{"name", required, text(&p.Name)},
		{"reason", optional, longText(&p.Reason)},
	})
	if err == nil {
		m.Permissions = append(m.Permissions, p)
	}
	return err
}

// readWidget comes after platform_version, whose min_code is its default.
func (m *Manifest) readWidget(c *checker, path string, v *value) error {
	w := Widget{MinCode: m.PlatformVersion.MinCode}
	err := fields(c, path, v, []rule{
		{"name", required, text(&w.Name)},
		{"path", required, existing(&w.Path, true)},
		{"min_code", optional, wholeOrText(&w.MinCode)},
	})
	if err == nil {
		m.Widgets = append(m.Widgets, w)
	}
	return err
}

// wholeOrText reads a widget's min_code: the specification calls it a number,
// while its processing step and its example have a string of digits.
func wholeOrText(dst *int64) reader {
	return func(c *checker, path string, v *value) error {
		if _, err := strconv.ParseUint(v.text, 10, 53); v.kind == isString && err == nil {
			v = &value{line: v.line, kind: isNumber, text: v.text}
		}
		return whole(dst)(c, path, v)
	}
}

func defaultWindow() Window {
	return Window{
		BackgroundColor:              "#ffffff",
		BackgroundTextStyle:          "dark",
		DesignWidth:                  750,
		NavigationBarBackgroundColor: "#000000",
		NavigationBarTextStyle:       "white",
		NavigationStyle:              "default",
		OnReachBottomDistance:        50,
		Orientation:                  "portrait",
	}
}

func (w *Window) read(c *checker, path string, v *value) error {
	const aColor = `a CSS color such as "#f8f8f8"`
	return fields(c, path, v, []rule{
		{"auto_design_width", optional, boolean(&w.AutoDesignWidth)},
		{"background_color", optional, matching(&w.BackgroundColor, color, aColor)},
		{"background_text_style", optional, oneOf(&w.BackgroundTextStyle, "light", "dark")},
		{"design_width", optional, whole(&w.DesignWidth)},
		{"enable_pull_down_refresh", optional, boolean(&w.EnablePullDownRefresh)},
		{"fullscreen", optional, boolean(&w.Fullscreen)},
		{"navigation_bar_background_color", optional, matching(&w.NavigationBarBackgroundColor, color, aColor)},
		{"navigation_bar_text_style", optional, oneOf(&w.NavigationBarTextStyle, "white", "black")},
		{"navigation_bar_title_text", optional, text(&w.NavigationBarTitleText)},
		{"navigation_style", optional, oneOf(&w.NavigationStyle, "default", "custom")},
		{"on_reach_bottom_distance", optional, whole(&w.OnReachBottomDistance)},
		{"orientation", optional, oneOf(&w.Orientation, "portrait", "landscape")},
	})
}
