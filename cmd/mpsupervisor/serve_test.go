package main

import (
	"reflect"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/internal/config"
	"github.com/mpsupervisor/mpsupervisor/internal/control"
	"github.com/mpsupervisor/mpsupervisor/internal/supervisor"
)

func TestDefaultsAreTheSupervisors(t *testing.T) {
	got := settingsOf(config.Default(), control.Access{})
	if want := supervisor.DefaultSettings(); !reflect.DeepEqual(got, want) {
		t.Errorf("the configuration gives\n%+v\nthe supervisor's own defaults are\n%+v", got, want)
	}
}

// TestReloadForgetsNoKey changes each value in turn: either it is put in force,
// or it is named as one that needs a restart.
func TestReloadForgetsNoKey(t *testing.T) {
	for _, path := range leaves(reflect.TypeFor[config.Config](), nil) {
		old, next := config.Default(), config.Default()
		alter(reflect.ValueOf(&next).Elem().FieldByIndex(path))
		named := len(needRestart(old, next)) == 1
		inForce := reflect.DeepEqual(changed(old, next), next)
		if named == inForce {
			name := reflect.TypeFor[config.Config]().FieldByIndex(path).Name
			t.Errorf("%s: needs a restart: %v, is put in force: %v", name, named, inForce)
		}
	}
	if keys := needRestart(config.Default(), config.Default()); keys != nil {
		t.Errorf("nothing changed, and %v need a restart", keys)
	}
}

// leaves lists the index paths of all fields that are not structs themselves.
func leaves(t reflect.Type, at []int) (paths [][]int) {
	for i := range t.NumField() {
		path := append(append([]int(nil), at...), i)
		if f := t.Field(i); f.Type.Kind() == reflect.Struct {
			paths = append(paths, leaves(f.Type, path)...)
		} else {
			paths = append(paths, path)
		}
	}
	return paths
}

func alter(v reflect.Value) {
	switch {
	case v.Kind() == reflect.Bool:
		v.SetBool(!v.Bool())
	case v.Kind() == reflect.Slice:
		v.SetLen(v.Len() - 1)
	case v.CanInt():
		v.SetInt(v.Int() + 1)
	case v.CanUint():
		v.SetUint(v.Uint() + 1)
	case v.CanFloat():
		v.SetFloat(v.Float() + 1)
	default:
		v.SetString(v.String() + "x")
	}
}
