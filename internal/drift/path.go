package drift

import "strconv"

// enter goes on into the member called name.
func (c *Comparer) enter(name []byte) {
	c.path = appendName(c.path, name)
	c.place = appendName(c.place, name)
}

// appendName appends a member to a path: ".name", or ["any string"] for what
// could be misread.
func appendName(path, name []byte) []byte {
	if isPlainName(name) {
		if len(path) > 0 {
			path = append(path, '.')
		}
		return append(path, name...)
	}
	return append(AppendString(append(path, '['), string(name)), ']')
}

// appendIndex appends an element to a path.
func appendIndex(path []byte, i int) []byte {
	return append(strconv.AppendInt(append(path, '['), int64(i), 10), ']')
}

func isPlainName(name []byte) bool {
	for i, c := range name {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '-'):
		default:
			return false
		}
	}
	return len(name) > 0
}
