//! Values of infrastructure: names, quantities with units, endpoints.
