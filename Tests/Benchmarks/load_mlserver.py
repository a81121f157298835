"""MLServer's runtime for ONNX files, which it does not bring itself; for load.py."""
import numpy
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class ONNXModel(MLModel):
    async def load(self) -> bool:
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        (given,) = payload.inputs
        tensor = NumpyCodec.decode_input(given).astype(numpy.float32, copy=False)
        (output,) = self.session.run(None, {given.name: tensor})
        name = self.session.get_outputs()[0].name
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output(name, output)])
