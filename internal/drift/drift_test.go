package drift

import "testing"

func TestCovers(t *testing.T) {
	tests := []struct {
		report           Report
		outside, pending bool
	}{
		{Report{Status: Complete, Outside: true, Pending: true}, true, true},
		{Report{Status: Complete, Outside: true}, true, false},
		{Report{Status: Complete, Pending: true}, false, true},
		{Report{Status: Complete}, false, false},
		{Report{Status: Incomplete, Outside: true, Pending: true}, false, false},
		{Report{Status: Errored, Outside: true, Pending: true}, false, false},
		{Report{}, false, false},
	}
	for _, test := range tests {
		if got := test.report.Covers(Outside); got != test.outside {
			t.Errorf("%+v.Covers(Outside) = %t, want %t", test.report, got, test.outside)
		}
		if got := test.report.Covers(Pending); got != test.pending {
			t.Errorf("%+v.Covers(Pending) = %t, want %t", test.report, got, test.pending)
		}
	}
}

func TestOnlyNoise(t *testing.T) {
	news, noise := []Change{{Path: "a"}}, []Change{{Path: "b", Noise: NoiseEmpty}}
	for _, action := range Actions() {
		r := Resource{Action: action, Noise: noise}
		if got, want := r.OnlyNoise(), action == Update; got != want {
			t.Errorf("%s with noise alone: OnlyNoise() = %t, want %t", action, got, want)
		}
		if r.News = news; r.OnlyNoise() {
			t.Errorf("%s with news: OnlyNoise() = true, want false", action)
		}
	}
}

func TestKeyIsOriginAndAddress(t *testing.T) {
	r := Resource{Origin: Pending, Address: "aws_vpc.main", PreviousAddress: "aws_vpc.old"}
	if got, want := r.Key(), (Key{Origin: Pending, Address: "aws_vpc.main"}); got != want {
		t.Errorf("Key() = %v, want %v", got, want)
	}
}
