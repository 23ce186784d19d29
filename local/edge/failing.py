"""Functions that fail on command, without being called."""

import json

from local.edge.errors import InvokeError
from local.edge.faults import Does, Faults, On
from local.edge.invoke import Invoke, InvokeResult


def failing(invoke: Invoke, faults: Faults) -> Invoke:
    """`Invoke` as it is, but for what the faults on `INVOKE` say."""

    async def call(function_arn: str, event: bytes) -> InvokeResult:
        fault = await faults.struck(On.INVOKE, name=function_arn.rpartition(":")[2])
        if fault is None:
            return await invoke(function_arn, event)
        if fault.does is Does.ERROR:
            error = {"errorMessage": "told to fail", "errorType": "Exception"}
            return InvokeResult(json.dumps(error).encode(), "Unhandled")
        raise InvokeError(f"{function_arn}: told to be unreachable")

    return call
