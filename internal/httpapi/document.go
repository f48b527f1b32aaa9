package httpapi

import (
	_ "embed"
	"net/http"
	"strconv"
)

// document describes every route for people and programs: OpenAPI 3.1.
//
//go:embed openapi.yaml
var document []byte

// getDocument answers GET /openapi.yaml.
func (s *Server) getDocument(w http.ResponseWriter, r *http.Request, _ *caller) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/yaml")
	h.Set("Content-Length", strconv.Itoa(len(document)))
	h.Set("X-Content-Type-Options", "nosniff")
	if _, err := w.Write(document); err != nil {
		return errNotSent
	}
	return nil
}
