package terraform

import (
	"cmp"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"strings"

	"github.com/driftsentry/driftsentry/internal/jsontree"
)

// whereabouts are the attributes that tell which object of which cloud a
// resource is, as far as they are not secret.
type whereabouts struct {
	id, arn, selfLink, uid                   string
	region, location, zone, availabilityZone string
	project, ownerID, accountID, owner       string
	subscriptionID                           string
}

// field is where the attribute called name is kept, nil when it does not tell.
func (w *whereabouts) field(name []byte) *string {
	switch string(name) {
	case "id":
		return &w.id
	case "arn":
		return &w.arn
	case "self_link":
		return &w.selfLink
	case "uid":
		return &w.uid
	case "region":
		return &w.region
	case "location":
		return &w.location
	case "zone":
		return &w.zone
	case "availability_zone":
		return &w.availabilityZone
	case "project":
		return &w.project
	case "owner_id":
		return &w.ownerID
	case "account_id":
		return &w.accountID
	case "owner":
		return &w.owner
	case "subscription_id":
		return &w.subscriptionID
	}
	return nil
}

// note takes note of an attribute. What is there after the change goes before
// what was there until then.
func (w *whereabouts) note(name []byte, before, after *jsontree.Value) {
	const longest = 1000 // what is longer names nothing
	field := w.field(name)
	if field == nil {
		return
	}
	for _, v := range [...]*jsontree.Value{after, before} {
		if v.Kind() == jsontree.String && !v.Hidden && len(v.Text()) > 0 && len(v.Text()) <= longest {
			*field = printable(string(v.Text()))
			return
		}
	}
}

// cloudID is what the cloud calls the object.
func (w *whereabouts) cloudID() string { return cmp.Or(w.id, w.arn, w.selfLink, w.uid) }

// place is where the object is.
func (w *whereabouts) place() string {
	switch {
	case w.region != "":
		return lastOf(w.region, "/")
	case w.arnPart(3) != "":
		return w.arnPart(3)
	case w.availabilityZone != "":
		return strings.TrimRight(w.availabilityZone, "abcdefghijklmnopqrstuvwxyz")
	case w.zone != "":
		return withoutZone(lastOf(w.zone, "/"))
	case w.location != "":
		return withoutZone(w.location)
	}
	for _, path := range [...]string{w.selfLink, w.id} {
		for _, kind := range [...]string{"regions", "zones", "locations"} {
			if part := after(path, kind); part != "" {
				return withoutZone(part)
			}
		}
	}
	return ""
}

// account is whose it is: AWS account, Google project or Azure subscription.
func (w *whereabouts) account() string {
	for _, account := range [...]string{w.arnPart(4), w.ownerID, w.accountID, w.owner} {
		if isAccount(account) {
			return account
		}
	}
	if w.project != "" {
		return lastOf(w.project, "/")
	}
	for _, path := range [...]string{w.id, w.selfLink} {
		for _, kind := range [...]string{"subscriptions", "projects"} {
			if part := after(path, kind); part != "" {
				return part
			}
		}
	}
	return w.subscriptionID
}

// arnPart is one part of the object's ARN.
func (w *whereabouts) arnPart(i int) string {
	for _, arn := range [...]string{w.arn, w.id} {
		if strings.HasPrefix(arn, "arn:") {
			if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
				return parts[i]
			}
		}
	}
	return ""
}

func isAccount(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}

// after is the part of a path that follows the one called kind.
func after(path, kind string) string {
	for path != "" {
		part, rest, _ := strings.Cut(path, "/")
		if part == kind {
			next, _, _ := strings.Cut(rest, "/")
			return next
		}
		path = rest
	}
	return ""
}

// withoutZone is the region of a Google zone, and any other location as it is.
func withoutZone(location string) string {
	if n := len(location); n > 2 && location[n-2] == '-' && strings.Count(location, "-") == 2 {
		return location[:n-2]
	}
	return location
}

func lastOf(path, separator string) string {
	return path[strings.LastIndex(path, separator)+1:]
}

// isDigestID reports whether an id may be the digest of something.
func isDigestID(id string) bool {
	switch len(id) {
	case 2 * md5.Size, 2 * sha1.Size, 2 * sha256.Size, 2 * sha512.Size:
		return strings.Trim(id, "0123456789abcdef") == ""
	}
	return false
}

// isDigestOf reports whether id is the hexadecimal digest of text. Some objects
// are called by the digest of what is in them, which may be secret.
func isDigestOf(id string, text []byte) bool {
	var sum []byte
	switch len(id) {
	case 2 * md5.Size:
		s := md5.Sum(text)
		sum = s[:]
	case 2 * sha1.Size:
		s := sha1.Sum(text)
		sum = s[:]
	case 2 * sha256.Size:
		s := sha256.Sum256(text)
		sum = s[:]
	case 2 * sha512.Size:
		s := sha512.Sum512(text)
		sum = s[:]
	default:
		return false
	}
	return hex.EncodeToString(sum) == id
}
