"""Parameters' values, as cells with a backward pass of their own are to be given them."""


def value_of(parameter):
    """The value of a parameter, in float32: mixed precision casts parameters themselves alone.

    Given the parameter, such a cell reads it once in each direction, and the compiler copies it at each reading in case
    it has changed in between. The reshape is for the compiler alone, which removes it.
    """
    return parameter.reshape(parameter.shape)
