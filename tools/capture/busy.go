package main

import (
	"reflect"
	"slices"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/tools/capture/frames"
)

// ofItself is what a broker answers that has not yet caught up with what its controller, or it, has just done.
var ofItself = []kerr.Code{
	kerr.LeaderNotAvailable, kerr.NotLeaderOrFollower, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator,
}

// busy says whether a broker gave such an answer.
func busy(all []frames.Frame) bool {
	return slices.ContainsFunc(all, func(f frames.Frame) bool {
		if !f.Response || f.Key == frames.Token {
			return false
		}
		_, body, err := f.Decode()
		return err == nil && saysBusy(reflect.ValueOf(body).Elem())
	})
}

// saysBusy looks for such a code in v and all that is in it.
func saysBusy(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Struct {
			return false
		}
		for i := range v.Len() {
			if saysBusy(v.Index(i)) {
				return true
			}
		}
	case reflect.Struct:
		if code := v.FieldByName("ErrorCode"); code.IsValid() && slices.Contains(ofItself, kerr.Code(code.Int())) {
			return true
		}
		for i := range v.NumField() {
			if saysBusy(v.Field(i)) {
				return true
			}
		}
	}
	return false
}
