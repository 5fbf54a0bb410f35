"""URI templates (RFC 6570): text to template, template and values to URI, URI to values.

They know text only: nothing of resources, files or who is asking. Three nouns: the `grammar`, the `expansion` of all
four levels, and the `matching` of a subset.
"""

from .expansion import Value
from .grammar import TEMPLATE_BYTES, VARIABLES, TemplateError
from .matching import URI_BYTES, UriError
from .template import UriTemplate

__all__ = ["TEMPLATE_BYTES", "URI_BYTES", "VARIABLES", "TemplateError", "UriError", "UriTemplate", "Value"]
