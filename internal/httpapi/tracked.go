package httpapi

import "net/http"

// listErrors answers GET /api/v1/errors with what the error tracker knows.
func (s *Server) listErrors(w http.ResponseWriter, r *http.Request, _ *caller) error {
	if err := readQuery(r).err(); err != nil {
		return err
	}
	return ok(w, http.StatusOK, s.Errors())
}
