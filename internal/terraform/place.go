package terraform

import (
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
type whereabouts map[string]string

// tellsWhere are the names of those attributes.
var tellsWhere = map[string]bool{
	"id": true, "arn": true, "self_link": true, "region": true, "location": true, "zone": true,
	"availability_zone": true, "project": true, "owner_id": true, "account_id": true, "owner": true,
	"subscription_id": true, "uid": true,
}

// note takes note of an attribute. What came after the change goes before what
// was there before it.
func (w whereabouts) note(name []byte, v *jsontree.Value) {
	if tellsWhere[string(name)] && v.Kind() == jsontree.String && !v.Hidden && len(v.Text()) > 0 {
		w[string(name)] = printable(string(v.Text()))
	}
}

// cloudID is what the cloud calls the object.
func (w whereabouts) cloudID() string {
	for _, name := range []string{"id", "arn", "self_link", "uid"} {
		if w[name] != "" {
			return w[name]
		}
	}
	return ""
}

// region is where the object is.
func (w whereabouts) region() string {
	if w["region"] != "" {
		return lastOf(w["region"], "/")
	}
	if region := w.arnPart(3); region != "" {
		return region
	}
	if zone := w["availability_zone"]; zone != "" {
		return strings.TrimRight(zone, "abcdefghijklmnopqrstuvwxyz")
	}
	if zone := lastOf(w["zone"], "/"); zone != "" {
		return withoutZone(zone)
	}
	if w["location"] != "" {
		return withoutZone(w["location"])
	}
	for _, name := range []string{"self_link", "id"} {
		for _, kind := range []string{"regions", "zones", "locations"} {
			if part := after(w[name], kind); part != "" {
				return withoutZone(part)
			}
		}
	}
	return ""
}

// account is whose it is: AWS account, Google project or Azure subscription.
func (w whereabouts) account() string {
	if account := w.arnPart(4); isAccount(account) {
		return account
	}
	for _, name := range []string{"owner_id", "account_id", "owner"} {
		if isAccount(w[name]) {
			return w[name]
		}
	}
	if w["project"] != "" {
		return lastOf(w["project"], "/")
	}
	for _, name := range []string{"id", "self_link"} {
		for _, kind := range []string{"subscriptions", "projects"} {
			if part := after(w[name], kind); part != "" {
				return part
			}
		}
	}
	return w["subscription_id"]
}

// arnPart is one part of the object's ARN.
func (w whereabouts) arnPart(i int) string {
	for _, name := range []string{"arn", "id"} {
		parts := strings.SplitN(w[name], ":", 6)
		if len(parts) == 6 && parts[0] == "arn" {
			return parts[i]
		}
	}
	return ""
}

func isAccount(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}

// after is the part of a path that follows the one called kind.
func after(path, kind string) string {
	parts := strings.Split(path, "/")
	for i := 0; i+1 < len(parts); i++ {
		if parts[i] == kind {
			return parts[i+1]
		}
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
