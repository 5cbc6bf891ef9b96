"""Headers that prove to a provider who we are."""

from botocore.auth import SigV4Auth as Signer
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from movieql.providers.contract import HeaderAuth, Operation, SigV4Auth


def auth_headers(operation: Operation, url: str, body: bytes) -> dict[str, str]:
    """Return the headers that one request needs; none when the operation needs no proof."""
    match operation.auth:
        case None:
            return {}
        case HeaderAuth(name=name, token=token):
            return {name: token}
        case SigV4Auth() as auth:
            return _signed(auth, operation.method, url, body)


def _signed(auth: SigV4Auth, method: str, url: str, body: bytes) -> dict[str, str]:
    request = AWSRequest(method, url, headers={"Content-Type": "application/json"}, data=body)
    credentials = Credentials(auth.access_key, auth.secret_key, auth.session_token)
    Signer(credentials, auth.service, auth.region).add_auth(request)
    return {str(name): str(value) for name, value in request.headers.items()}
