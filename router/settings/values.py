"""Which values do settings share, and how strict are they?"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


#: A tier's name: it is a metric label, a response header and a value of `model`.
TierName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
#: A model id as the provider spells it; visible ASCII, as it ends up in a header.
ModelName = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
#: Why an answer is not good enough to stop at.
Flaw = Literal["empty", "schema", "truncated", "refusal"]
Names = Annotated[tuple[str, ...], BeforeValidator(as_list)]
UsdPerMtok = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    # By alias, so that settings that were written out can be read again.
    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)
