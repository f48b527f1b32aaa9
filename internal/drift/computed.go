package drift

import (
	"bytes"
	"strings"
)

// computed reports whether the attribute here is one that the cloud keeps for
// itself: nobody sets it, and it changes when nobody changed anything.
func (c *Comparer) computed(at spot) bool {
	if at.keys {
		return false // a tag somebody called updated_at is not the cloud's
	}
	name := string(at.name)
	if name == "etag" {
		return !etagIsContent[c.Type]
	}
	if clocks[name] {
		return true
	}
	if strings.HasSuffix(name, "_timestamp") || strings.HasPrefix(name, "last_modified") {
		return !isSetting(name)
	}
	for _, p := range providerCounters {
		if strings.HasPrefix(c.Type, p.types) && p.names[name] {
			return true
		}
	}
	return false
}

// etagIsContent are the types whose etag is the fingerprint of what is stored:
// there it is the news.
var etagIsContent = map[string]bool{
	"aws_s3_object":        true,
	"aws_s3_bucket_object": true,
	"aws_s3_object_copy":   true,
}

// clocks are attributes that say when something last happened, in any provider.
var clocks = map[string]bool{
	"last_updated":                   true,
	"last_updated_at":                true,
	"last_updated_date":              true,
	"last_updated_time":              true,
	"last_update_time":               true,
	"last_accessed_date":             true,
	"last_changed_date":              true,
	"last_used_date":                 true,
	"latest_restorable_time":         true,
	"modified_at":                    true,
	"modified_time":                  true,
	"modified_date":                  true,
	"password_last_used":             true,
	"role_last_used":                 true,
	"time_updated":                   true,
	"update_date":                    true,
	"update_time":                    true,
	"updated_at":                     true,
	"updated_date":                   true,
	"updated_on":                     true,
	"updated_time":                   true,
	"in_progress_validation_batches": true,
}

// isSetting reports whether a name that ends like a clock's says when something
// is meant to happen. People set that.
func isSetting(name string) bool {
	for _, word := range []string{"expir", "start", "end_", "restore", "schedul", "valid", "retain", "until", "cutoff"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// providerCounters are attributes that count or fingerprint versions, by the
// beginning of the type's name.
var providerCounters = []struct {
	types string
	names map[string]bool
}{
	{"kubernetes_", map[string]bool{"resource_version": true, "generation": true}},
	{"helm_", map[string]bool{"resource_version": true}},
	{"google_", map[string]bool{
		"fingerprint":          true,
		"label_fingerprint":    true,
		"metadata_fingerprint": true,
		"tags_fingerprint":     true,
	}},
}

// userMaps are attributes whose members are named by users.
var userMaps = [][]byte{
	[]byte("tags"), []byte("tags_all"), []byte("labels"), []byte("effective_labels"),
	[]byte("terraform_labels"), []byte("annotations"), []byte("effective_annotations"),
	[]byte("variables"), []byte("environment_variables"), []byte("parameters"), []byte("triggers"),
}

func holdsUserKeys(name []byte) bool {
	for _, m := range userMaps {
		if bytes.Equal(m, name) {
			return true
		}
	}
	return false
}
