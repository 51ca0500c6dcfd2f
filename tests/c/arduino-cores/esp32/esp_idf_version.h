#if !defined(ESP_IDF_VERSION_MAJOR)
#define ESP_IDF_VERSION_MAJOR 5
#endif
