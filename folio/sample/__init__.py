"""Sample content: the work of a design and web studio, as folders that `folio import` reads."""
