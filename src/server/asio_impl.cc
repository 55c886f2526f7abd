// Asio's compiled part, once for the whole program (BOOST_ASIO_SEPARATE_COMPILATION is set for every file).
#include <boost/asio/impl/src.hpp>
