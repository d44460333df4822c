from collections.abc import Hashable
from datetime import timedelta
from typing import Any, cast

import msgspec
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from folio.api.errors import TooLarge
from folio.api.filters import PageFilterSet
from folio.api.middleware import SMALL_BODY, declared_size
from folio.api.viewsets import ListingView, StrictView

from . import documents
from .authentication import token_of
from .codes import CODES
from .grants import allowed_codes
from .models import Token
from .permissions import IsNotNarrowed
from .serializers import CredentialsSerializer, TokenSerializer

PERMISSION_CODE = msgspec.json.schema_components([documents.PermissionCode])[1]["PermissionCode"]


def new_token(token: Token, key: str) -> Response:
    """Answer with a key, the only time that it is told."""
    fields = {name: getattr(token, name) for name in documents.TOKEN_FIELDS}
    return Response(documents.NewToken(**fields, key=key), status.HTTP_201_CREATED)


class SignInView(StrictView):
    """Sign in: exchange a username and a password for a new key."""

    tells_secrets = True
    is_counted = False  # but for failures, by `attempts`
    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = CredentialsSerializer
    answers = {"post": (201, documents.NewToken)}
    other_errors = {429: "Too many attempts failed; `Retry-After` says after how many seconds the next one is heard."}

    def post(self, request: Request) -> Response:
        if declared_size(request) > SMALL_BODY:  # by someone who is not known yet
            raise TooLarge(f"A name and a password take no more than {SMALL_BODY} bytes.")
        serializer = CredentialsSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        expires_at = timezone.now() + timedelta(days=settings.TOKEN_DAYS)
        return new_token(*serializer.issue(name="sign-in", expires_at=expires_at))


class MeView(StrictView):
    """Tell who the key belongs to, and what it can do."""

    tells_secrets = True
    permission_classes = (IsAuthenticated,)
    answers = {"get": (200, documents.Me)}

    def get(self, request: Request) -> Response:
        user, token = cast(User, request.user), token_of(request)
        return Response(
            documents.Me(
                username=user.get_username(),
                is_staff=user.is_staff,
                is_admin=user.is_superuser,
                permission_codes=sorted(allowed_codes(token)),
                token=documents.CurrentToken(
                    id=token.pk,
                    name=token.name,
                    codes=token.codes,
                    expires_at=token.expires_at,
                    published_only=token.published_only,
                ),
            )
        )


class PermissionCodesView(StrictView):
    """List what each permission code stands for."""

    tells_secrets = True
    permission_classes = (IsAuthenticated,)
    answers = {"get": (200, {"type": "array", "items": PERMISSION_CODE})}

    def get(self, request: Request) -> Response:
        return Response(
            [documents.PermissionCode(code=c.code, resource=c.resource, action=c.action) for c in CODES.values()]
        )


class TokenViewSet(ListingView):
    """One's own keys: list, make, revoke."""

    tells_secrets = True
    resource = "tokens"
    document = documents.Token
    filterset_class = PageFilterSet
    serializer_class = TokenSerializer
    permission_classes = (IsNotNarrowed,)
    summaries = {"list": "List your keys", "create": "Make a key", "destroy": "Revoke a key"}
    answers = {"create": (201, documents.NewToken)}
    lookup_value_converter = "int"

    def get_queryset(self) -> Any:
        return Token.objects.filter(user=self.request.user)

    def scope(self) -> Hashable:
        return self.request.user.pk

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return new_token(*Token.objects.issue(cast(User, request.user), **serializer.validated_data))

    def destroy(self, request: Request, pk: int) -> Response:
        if not self.get_queryset().filter(pk=pk).delete()[0]:
            raise NotFound(f"You have no token with the id {pk}.")
        return Response(status=status.HTTP_204_NO_CONTENT)
